"""The words of the command line: flags, files of flags, and text that is printed without a run.

In the order in which a call passes them. The number is a layer: a module imports only modules of lower floors, and of
this folder only those with a lower number.

    options_page.py [0] the options as a page of docs/
    short_help.py [0] the few options of --help
    parser.py   [1] the flags
    completion.py [0] what completes the command in a shell
    config.py   [0] the call that flags and files ask for
    listings.py [0] settings, presets and layers as text

    option  an option of the call that is not a setting of the picture, from the table in call_options.py
    values  flags and the keys of files together, by field name, before they are read as a call
    call    the request for a picture, with the earlier run that it resumes or repeats, and who may watch
"""

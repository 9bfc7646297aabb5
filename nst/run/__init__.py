"""One picture: files in, files out.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    clip_names.py  [0] videos and numbered pictures, told by their names
    request.py     [0] the wish for one picture, from the command to the run
    folder.py      [1] the names of a run's result and of the files in its folder
    pipes.py       [0] a picture that comes from a pipe, in a temporary file
    input_files.py [2] find, read and hash the inputs, each file once
    record.py      [3] all that is needed to make a picture again
    checkpoint.py  [4] the state of a run in its folder, and back
    origin.py      [5] the earlier run that a run resumes or repeats
    memory_plan.py [0] the memory that a run takes, and the tiles that keep it within a limit
    job.py         [6] a run with everything checked before the long work
    results.py     [7] the files that a run writes, also where a disk is full
    run_picture.py [8] a run, from its request to its files
    stdout_result.py [2] a result for stdout
    dry_run.py     [9] a run checked and told, nothing written

    request     the wish for one picture: input files, settings, and what to write
    role        the use of an input file: content, style, init, weights, style_mask, source_mask or content_mask
    result      the finished picture; its path is the output
    run         the making of one picture, with its folder beside the result
    record      all that is needed to make the picture again, without any path of the machine
    located     the paths and hashes of the inputs, which only a checkpoint holds
    checkpoint  the state of a stopped run, from which it resumes to the same pixels
    origin      the earlier run that a run resumes (from a checkpoint) or repeats (from a record)
    job         a request with everything read, checked and planned
"""

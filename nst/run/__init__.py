"""One picture: files in, files out.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    input_files.py [0] find, read and hash the inputs
    checkpoint.py  [0] the whole state of a run in its folder, and back
    memory_plan.py [0] the memory that a run takes, and the tiles that keep it within a limit
    folder.py      [1] the names of a run's result and of the files in its folder
    record.py      [1] all that is needed to make a picture again
    results.py     [2] the files that a run writes, also where a disk is full
    job.py         [3] a run checked, then made
    dry_run.py     [4] a run checked and told, nothing written
"""

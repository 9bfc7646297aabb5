"""Many pictures: planned, handed out, collected, noted.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    job_file.py      [0] the rows of a batch file
    sweep.py         [1] the settings that a sweep goes through, and its pictures in rows and columns
    tasks.py         [2] the pictures that rows and sweeps ask for
    manifest.py      [0] batch.jsonl: the state of each picture
    naming.py        [3] the names of the results
    fonts.py         [0] fonts for the labels of a contact sheet
    contact_sheet.py [1] a sweep's pictures in rows and columns
    plan.py          [4] the whole batch, and the pictures that are done already
    orders.py        [0] an order for a picture, and its result
    relay.py         [1] the progress of another process, shown by this one
    local_workers.py [2] the executors of this machine: this process, or others beside it
    dask_workers.py  [3] the executor of a Dask cluster
    progress.py      [0] the progress of a batch
    scene_progress.py [1] the progress of a clip whose scenes are made side by side
    clip_scenes.py   [6] the scenes of one clip, made side by side
    page.py          [2] the page of a batch
    check_batch.py   [5] a batch checked without making it
    run_batch.py     [5] the loop that hands out pictures and collects them

    row        the flags of one call in a batch file; a call without a file is one row too
    sweep      a setting with several values; each combination of sweeps makes a picture
    grid       the pictures that a sweep makes of the same inputs, by the swept values
    task       a picture of a batch: its source in the batch, its request, its name, its state
    wanted     the name that a task's result would have if no other result had it
    key        a hash of a picture's inputs and of the settings that change pixels; a new key means a changed picture
    identity   names for the paths of a picture's inputs, by which a changed picture keeps its name
    manifest   the file that notes the state of each picture; a batch that was stopped goes on from it
    order      a request with all that a worker needs to make the picture
    client     the process of the command, which hands out orders
    worker     a process that makes pictures for the client
    executor   takes orders from the client and returns a future for each: this process, others here, or a cluster
    in flight  of orders: handed out and not yet collected
    crash      the death of a worker over a picture
"""

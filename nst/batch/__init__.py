"""Many pictures: planned, handed out, collected, written down.

In the order in which a picture passes them. The number is a layer: a module imports only modules of lower floors, and
of this folder only those with a lower number.

    job_file.py      [0] the rows of a batch file
    sweep.py         [1] the settings that a sweep goes through
    tasks.py         [2] the pictures that rows and sweeps ask for
    manifest.py      [0] batch.jsonl: what a batch has done so far
    naming.py        [3] the names of the results
    contact_sheet.py [0] a sweep's pictures in rows and columns
    plan.py          [4] the whole batch, and which pictures are done already
    orders.py        [0] a picture to make, and what came of it
    local_workers.py [1] this process, or others on this machine
    dask_workers.py  [2] the workers of a Dask cluster
    progress.py      [0] what became of each picture, as lines or JSON
    page.py          [0] the page of a batch
    run_batch.py     [5] the loop that hands out pictures and collects them
"""

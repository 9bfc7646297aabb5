"""One clip: moving pictures in, the same painted out, without flicker.

In the order in which a clip passes them. The number is a layer: a module imports only modules of lower floors, and of
this folder only those with a lower number. PyAV and OpenCV are imported when they are used.

    clips.py    [0] clips read frame by frame: videos, animations, numbered pictures
    times.py    [1] which frames are redrawn
    flow.py     [0] how a frame comes from an earlier one
    scenes.py   [1] where a clip repeats a frame, where it cuts, and which earlier scene is seen again
    frames.py   [2] the frames redrawn one after another
    store.py    [1] the pictures of the frames while a run goes on, and the clip made of them
    clip_state.py [3] a run while it goes on, and as a checkpoint
    run_clip.py [4] a run, from its request to the clip
    run_scene.py [5] a run of a single scene, whose frames others join

frame   An image of the clip; its picture is what it is redrawn as.
scene   The frames between two cuts. Its first frame is redrawn as a photo is.
flow    For each pixel of a frame, how far away it is in an earlier frame.
known   Of a pixel: shown by an earlier frame too.
age     For how many frames a pixel has stayed in the picture.
memory  All that the next frame depends on.
ending  All of a scene that a later scene may go on from.
lot     Frames that are written together. The open lot is not written yet.
"""

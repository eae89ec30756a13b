"""Other formats to definitions: ONNX models, Caffe prototxt, Darknet cfg.

    from_onnx, from_caffe, from_darknet   a file becomes a graph, its layers in netc's terms
    tidy                                  several layers that are one in our language become one
    structure                             the graph becomes blocks, joins and loops, and text
"""

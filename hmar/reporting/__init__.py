"""The answer to a search as DICOM documents: structured report, key object selection, secondary capture.

They name the patient of the query, as its file does, and are made where that file may be read: in a child
process, as images are decoded (:mod:`hmar.decoding`).

::

    contained.ContainedWriter     what the product uses: contents and the query's file in, documents out
      contents.Contents           what the documents tell, as JSON
    - - - - - - - - - - - - - - - the border
          fork_server             imports highdicom once, and forks a child when asked
            child.serve           makes documents
              source              patient and study of the query's file, and nothing else of it
              structured, selection, capture

Nothing above the border imports pydicom, and nothing of the file is kept, logged or quoted in an error.
"""

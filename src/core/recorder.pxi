# The recorder: the launches of a stretch of program, kept and run again without Python.
#
# It works because a Launch is plain data.  While it is on, memory that falls free is kept for the recording instead of
# being handed out again, so every launch has its operands to itself; a tensor that is given other memory
# (`w.data = ...`) has it copied back to where the recording reads it.

cdef Launch* recorded = NULL
cdef Py_ssize_t recorded_count = 0
cdef Py_ssize_t recorded_room = 0
cdef Storage* kept_storages = NULL        # linked through `data`'s place in the header: see keep_storage


cdef int keep_launch(Launch* l) except -1:
    global recorded, recorded_count, recorded_room
    cdef Launch* more
    if recorded_count == recorded_room:
        recorded_room = max(64, recorded_room * 2)
        more = <Launch*>realloc(recorded, recorded_room * sizeof(Launch))
        if more == NULL:
            raise MemoryError("cannot keep another launch")
        recorded = more
    recorded[recorded_count] = l[0]
    recorded_count += 1
    return 0


cdef void keep_storage(Storage* s) noexcept:
    """A storage fell free while recording: it stays for as long as the recording does."""
    global kept_storages
    s.refs = <int64_t>kept_storages
    kept_storages = s


cdef class Recording:
    """The launches of a stretch of program, ready to run again.

    Invariants: `launch[0:count]` are plain data; every address in them belongs to a storage in `kept` or to a tensor
    that was alive when recording ended (the caller keeps those).  Thread-safety: one recording at a time in a process;
    replay holds the GIL.
    """
    cdef Launch* launch
    cdef Py_ssize_t count
    cdef Storage* kept

    def __enter__(self):
        global recorder_on
        if recorder_on:
            raise RuntimeError("record: another recording is going on in this process")
        if self.launch != NULL:
            raise RuntimeError("record: this recording is complete; make another")
        recorder_on = True
        return self

    def __exit__(self, *exc):
        global recorder_on, recorded, recorded_count, recorded_room, kept_storages
        recorder_on = False
        self.launch, self.count, self.kept = recorded, recorded_count, kept_storages
        recorded, kept_storages = NULL, NULL
        recorded_count = recorded_room = 0

    def __len__(self):
        return self.count

    def replay(self, Py_ssize_t times=1):
        """Run the launches again, `times` times, in order."""
        cdef Py_ssize_t i
        if recorder_on:
            raise RuntimeError("replay: a recording is going on")
        for _ in range(times):
            for i in range(self.count):
                run_again(&self.launch[i])

    def __dealloc__(self):
        cdef Storage* s = self.kept
        cdef Storage* following
        free(self.launch)
        while s != NULL:
            following = <Storage*><void*>s.refs
            give_block(s)
            s = following

# The recorder: the launches of a stretch of program, kept and run again without Python.
#
# It works because a Launch is plain data.  While it is on, memory that falls free is kept for the recording instead of
# being handed out again, so every launch has its operands to itself; a tensor that is given other memory
# (`w.data = ...`) has it copied back to where the recording reads it.
# Note [What a recording keeps]: afterwards a recording lets go of what none of its launches points to; and memory that falls free
# while recordings live goes to the first one with an address in it, so the caller need not keep a tensor alive.

cdef Launch* recorded = NULL
cdef Py_ssize_t recorded_count = 0
cdef Py_ssize_t recorded_room = 0
cdef Storage* kept_storages = NULL        # linked through `data`'s place in the header: see release_storage


cdef int keep_launch(Launch* l) except -1:
    global recorded, recorded_count, recorded_room
    cdef Launch* more
    cdef Py_ssize_t room
    if recorded_count == recorded_room:
        room = max(64, recorded_room * 2)
        more = <Launch*>realloc(recorded, room * sizeof(Launch))
        if more == NULL:
            raise MemoryError("cannot keep another launch")
        recorded, recorded_room = more, room
    recorded[recorded_count] = l[0]
    recorded_count += 1
    return 0


cdef void release_storage(Storage* s) noexcept:
    """A storage fell free while there are recordings: see Note [What a recording keeps]."""
    global kept_storages
    if recorder_on:
        s.refs = <int64_t>kept_storages
        kept_storages = s
        return
    cdef PyObject* at = newest_recording if s.parent == NULL else NULL        # the bytes may be the parent's
    while at != NULL:
        if (<Recording>at).reads(s):
            s.refs = <int64_t>(<Recording>at).kept
            (<Recording>at).kept = s
            return
        at = (<Recording>at).older
    give_block(s)


cdef int compare_addresses(const void* a, const void* b) noexcept nogil:
    cdef size_t x = (<size_t*>a)[0], y = (<size_t*>b)[0]
    return -1 if x < y else x > y


cdef PyObject* newest_recording = NULL    # of those that are complete and alive; they take themselves out


cdef class Recording:
    """The launches of a stretch of program, ready to run again.

    Invariants: `launch[0:count]` are plain data; every address in them belongs to a storage in `kept` or to one that is alive
    otherwise.  `address[0:addresses]` are they, sorted.  Thread-safety: one recording at a time in a process; replay holds the GIL.
    """
    cdef Launch* launch
    cdef Py_ssize_t count
    cdef size_t* address
    cdef Py_ssize_t addresses
    cdef Storage* kept
    cdef PyObject* older
    cdef PyObject* newer

    def __enter__(self):
        global recorder_on, storages_watched
        if recorder_on:
            raise RuntimeError("record: another recording is going on in this process")
        if self.launch != NULL:
            raise RuntimeError("record: this recording is complete; make another")
        recorder_on = storages_watched = True
        return self

    def __exit__(self, *exc):
        global recorder_on, recorded, recorded_count, recorded_room, kept_storages, newest_recording
        cdef Storage* fallen = kept_storages
        self.launch, self.count = recorded, recorded_count
        recorder_on = False
        recorded, kept_storages = NULL, NULL
        recorded_count = recorded_room = 0
        try:
            self.sort_addresses()
            self.older = newest_recording
            if self.older != NULL:
                (<Recording>self.older).newer = <PyObject*>self
            newest_recording = <PyObject*>self
        finally:
            release_list(fallen)

    cdef int sort_addresses(self) except -1:
        cdef Py_ssize_t i
        cdef int k
        if self.count == 0:
            return 0
        self.address = <size_t*>malloc(self.count * MAX_OPERANDS * sizeof(size_t))
        if self.address == NULL:
            self.count = 0
            raise MemoryError("cannot keep a recording")
        for i in range(self.count):
            for k in range(self.launch[i].noperands):
                if self.launch[i].ptr[k] != NULL:
                    self.address[self.addresses] = <size_t>self.launch[i].ptr[k]
                    self.addresses += 1
        qsort(self.address, self.addresses, sizeof(size_t), compare_addresses)
        return 0

    cdef bint reads(self, Storage* s) noexcept:
        """Whether a launch points into s."""
        cdef Py_ssize_t low = 0, high = self.addresses, middle
        while low < high:                     # the first address that is not below s
            middle = (low + high) // 2
            if self.address[middle] < <size_t>s.data:
                low = middle + 1
            else:
                high = middle
        return low < self.addresses and self.address[low] < <size_t>s.data + <size_t>s.nbytes

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
        global storages_watched, newest_recording
        cdef Storage* kept = self.kept
        if self.newer != NULL:
            (<Recording>self.newer).older = self.older
        elif newest_recording == <PyObject*>self:
            newest_recording = self.older
        if self.older != NULL:
            (<Recording>self.older).newer = self.newer
        storages_watched = recorder_on or newest_recording != NULL
        free(self.launch)
        free(self.address)
        release_list(kept)                    # another recording may read it


cdef void release_list(Storage* s) noexcept:
    cdef Storage* following
    while s != NULL:
        following = <Storage*><void*>s.refs
        release_storage(s)
        s = following


cdef int refuse_recording(str what) except -1:
    """Raise RuntimeError while a recording is going on, for what a replay would repeat wrongly."""
    if recorder_on:
        raise RuntimeError(f"record: {what}")
    return 0

/*
 * Counted leases decide which code may touch the shared memory, and when the memory is unmapped.
 *
 * Checked: no thread touches unmapped memory, or rings a doorbell that was closed with it; the memory is unmapped
 * exactly once, as soon as the last lease is given back.
 *
 * Stands for, in src/GrpcShm.Transport: Memory/SharedSegment.cs (TryLease, Release), and of
 * Connections/SharedMemoryConnection*.cs AttachReceive, AttachSend, Detach, OnReady, BeginSpin, EndSpin, Dispose.
 * Leases are changed by Interlocked only, so the model needs no store buffers.
 */

byte leases = 1;            /* the connection's owner's */
byte unmapped;
byte operations;            /* attached and not yet sealed */
bit disposed;

#define TOUCH assert(!unmapped)

inline TryLease() {
    /* SharedSegment.TryLease */
#ifdef LEASE_FROM_NOTHING
    atomic { leases++; leased = 1 }
#else
    seen = leases;
    do
    :: seen == 0 -> leased = 0; break
    :: else ->
        atomic {
            if
            :: leases == seen -> leases++; leased = 1; break
            :: else -> seen = leases
            fi
        }
    od;
    seen = 0
#endif
}

inline Release() {
    /* SharedSegment.Release */
    atomic { leases--; last = (leases == 0) };
    if
    :: atomic { last -> assert(!unmapped); unmapped++ }
    :: else
    fi;
    last = 0
}

/* A RingStreamRead, a RingStreamWrite, or what stands behind a pipe. */
proctype Operation() {
    byte seen;
    bit leased, last;

    TryLease();                                 /* AttachReceive, AttachSend */
    if
    :: leased ->
        operations++;
        do
        :: TOUCH                                /* reads or writes, and rings */
        :: break
        od;
        TOUCH;                                  /* Finish: RingConsumer.Close, RingProducer.Close */
#ifdef DETACH_TWICE
        Release();
#endif
        operations--;
        Release()                               /* Detach */
    :: else -> assert(disposed)                 /* ObjectDisposedException */
    fi
}

proctype Reactor() {
    byte seen;
    bit leased, last;
end:
    do
    :: skip ->
        /* OnReady */
#ifdef NO_LEASE_IN_ON_READY
        if
        :: operations -> TOUCH
        :: else
        fi
#else
        TryLease();
        if
        :: leased -> TOUCH; Release(); leased = 0
        :: else
        fi
#endif
    :: skip ->
        /* BeginSpin, Peek, EndSpin */
        TryLease();
        if
        :: leased ->
#ifdef NO_LEASE_WHILE_SPINNING
            Release();
#endif
            TOUCH;
            TOUCH;
#ifndef NO_LEASE_WHILE_SPINNING
            Release();
#endif
            leased = 0
        :: else
        fi
    :: disposed -> break                        /* ReactorRegistration.Dispose; a call may still be under way */
    od
}

proctype Owner() {
    bit last;

    disposed = 1;                               /* Dispose */
    Release()
}

proctype Verdict() {
    timeout -> assert(leases == 0 && unmapped == 1)
}

init {
    atomic {
        run Operation();
        run Operation();
        run Reactor();
        run Reactor();
        run Owner();
        run Verdict()
    }
}

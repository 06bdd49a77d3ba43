/*
 * The sentinel: a thread that looks at the words of all reactors while one of them is away in foreign code. It sleeps
 * without a timer when nothing happens, and ends with the last reactor. A reactor that goes away writes this into its
 * word, and then arms the sentinel, without a fence of its own: the sentinel fences all processors when it disarms
 * itself.
 *
 * Checked: a reactor that stays away is taken over; there is exactly one sentinel while a reactor runs, and none while
 * no reactor runs.
 *
 * Stands for, in src/GrpcShm.Transport/Signaling: Sentinel.cs, of ReactorLeadership.cs Leave and TryTakeOver. A reactor
 * stands here for the thread that leads it; leadership.pml models the change of the leader. Sentinel._wake is a
 * monitor: to leave it, to wait for it and to pulse it are fences, and a pulse reaches only a waiting thread.
 */

#define ARMED 0             /* Sentinel._armed */
#define WORD(reactor) (1 + reactor)
#define PLACES 3

#ifndef REACTORS
#define REACTORS 2
#endif
#define SENTINEL 2
#define THREADS 3
#define BUFFER 2

#ifndef AWAYS
#define AWAYS 2             /* how often a reactor goes away in one life */
#endif
#ifndef LIVES
#define LIVES 1
#endif

#include "memory.pml"

bit wake;                   /* Sentinel._wake */
bit waits;                  /* the sentinel, in Monitor.Wait */
byte running;               /* Sentinel._running */
bit hasThread;              /* Sentinel._hasThread */
byte threads, done;         /* for the verdict */

#define ENTER(thread) atomic { !wake && DRAINED(thread) -> wake = 1 }
#define LEAVE(thread) atomic { DRAINED(thread) -> wake = 0 }

/* Interlocked.MemoryBarrierProcessWide: each processor passes a fence at some moment of it. */
#define FENCE_ALL DRAINED(SENTINEL); DRAINED(0); DRAINED(1)

inline Arm(me) {
    /* Sentinel.Arm, TryPulse */
    LOAD(me, ARMED, seen);
    if
    :: seen == 0 ->
        EXCHANGE(me, ARMED, 1, seen);
        if
        :: seen == 0 -> ENTER(me); waits = 0; LEAVE(me)
        :: else
        fi
    :: else
    fi;
    seen = 0
}

proctype Reactor(byte me) {
    byte seen, word, aways, lives;

    do
    :: lives < LIVES ->
        lives++;
        /* Sentinel.Begin */
        ENTER(me);
        if
        :: !hasThread -> atomic { hasThread = 1; run Sentinel() }
        :: else
        fi;
        running++;
        LEAVE(me);
        do
        :: aways < AWAYS ->
            aways++;
            word++;
#ifdef ARM_BEFORE_THE_WORD
            Arm(me);
            STORE_RELEASE(me, WORD(me), word);
#else
            STORE_RELEASE(me, WORD(me), word);
#ifndef NO_ARM
            Arm(me);
#endif
#endif
            /* Foreign code, for a while or for ever. */
            if
            :: skip -> COMPARE_EXCHANGE(me, WORD(me), word + 1, word, seen); seen = 0
            :: skip -> mem[WORD(me)] == word + 1        /* taken over; else the verdict */
            fi;
            word++
        :: else -> break
        od;
        aways = 0;
        /* Sentinel.End */
        ENTER(me);
        running--;
#ifndef END_WITHOUT_A_PULSE
        if
        :: running == 0 -> waits = 0
        :: else
        fi;
#endif
        LEAVE(me)
    :: else -> break
    od;
    done++
}

inline WaitUntilArmed() {
    ENTER(SENTINEL);
    do
    :: LOAD(SENTINEL, ARMED, seen);
        if
        :: seen == 0 && running == 0 ->
#ifdef END_OUTSIDE_THE_LOCK
            LEAVE(SENTINEL);
            atomic { threads--; ends = 1; hasThread = 0; break }
#else
            atomic { hasThread = 0; threads--; ends = 1; break }
#endif
        :: seen == 0 && running != 0 ->
            atomic { DRAINED(SENTINEL) -> wake = 0; waits = 1 };    /* Monitor.Wait */
            atomic { !waits && !wake -> wake = 1 }
        :: else -> break
        fi
    od;
#ifndef END_OUTSIDE_THE_LOCK
    LEAVE(SENTINEL);
#else
    if
    :: !ends -> LEAVE(SENTINEL)
    :: else
    fi;
#endif
    seen = 0
}

inline Look() {
    isActive = 0;
    LookAt(0);
#if REACTORS == 2
    LookAt(1);
#endif
}

inline LookAt(reactor) {
    LOAD(SENTINEL, WORD(reactor), seen);
    isActive = isActive || seen != last[reactor] || (seen & 1);
    if
    :: (seen & 1) && seen == last[reactor] ->
        /* LookAtAway, ReactorLeadership.TryTakeOver */
        atomic { DRAINED(SENTINEL) ->
            if
            :: mem[WORD(reactor)] == seen -> mem[WORD(reactor)] = seen + 1
            :: else
            fi }
    :: else
    fi;
    atomic { last[reactor] = seen; seen = 0 }
}

/* Sentinel._seen: outlives the thread */
byte last[2];

proctype Sentinel() {
    byte seen;
    bit isActive, ends;

    atomic { assert(threads == 0); threads++ };
    do
    :: WaitUntilArmed();
        if
        :: ends -> break
        :: else
        fi;
        /* QuietLooks is one */
        do
        :: Look();
            if
            :: !isActive ->
                STORE_RELEASE(SENTINEL, ARMED, 0);
#ifdef ITS_OWN_FENCE_ONLY
                FENCE(SENTINEL);
#else
#ifndef NO_FENCE
                FENCE_ALL;
#endif
#endif
#ifdef NO_LOOK_AFTER_THE_FENCE
                break
#else
                Look();
                if
                :: isActive ->
                    EXCHANGE(SENTINEL, ARMED, 1, seen);
                    if
                    :: atomic { seen == 0 -> isActive = 0 }
                    :: atomic { seen != 0 -> seen = 0; isActive = 0 }; break
                    fi
                :: else -> break
                fi
#endif
            :: else
            fi
        od
    od
}

proctype Verdict() {
    timeout ->
    assert(done == REACTORS);
    assert(threads == 0 && !hasThread && running == 0 && !wake)
}

init {
    atomic {
        run Processor(0);
        run Processor(1);
        run Processor(SENTINEL);
        run Reactor(0);
#if REACTORS == 2
        run Reactor(1);
#endif
        run Verdict()
    }
}

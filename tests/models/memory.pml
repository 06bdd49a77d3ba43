/*
 * The order in which processors see each other's stores. The other models include this file.
 *
 * A store goes into the buffer of its thread and reaches memory later, when the process Processor of the buffer takes
 * it out. A load reads memory. So a load overtakes the stores before it, as on x86 and on arm64. The kinds of stores
 * differ:
 *
 *   plain    (C# field or span access)  may reach memory before older stores to other places, except with -DTSO: x86
 *                                       keeps the order of stores.
 *   release  (Volatile.Write)           reaches memory after all older stores of its thread.
 *   fence    (Interlocked.MemoryBarrier) waits until the thread's stores are in memory.
 *   exchange (Interlocked.*)            is a fence and one step.
 *
 * Loads by Volatile.Read are acquire: later loads of the thread happen later. For a plain load the model itself says
 * how early or late it may happen (see LoadBytes in ring.pml).
 *
 * The including model defines THREADS, PLACES (the number of places in memory) and BUFFER (the most stores that a
 * thread may have in its buffer).
 */

#define PLAIN 0
#define RELEASE 1

byte mem[PLACES];
chan buffer[THREADS] = [BUFFER] of { byte, byte, bit };

#ifdef TSO
#define STORE(thread, place, value) buffer[thread]!place, value, RELEASE
#else
#define STORE(thread, place, value) buffer[thread]!place, value, PLAIN
#endif
#define STORE_RELEASE(thread, place, value) buffer[thread]!place, value, RELEASE

#define DRAINED(thread) empty(buffer[thread])
#define FENCE(thread) DRAINED(thread)

#define EXCHANGE(thread, place, value, old) \
    atomic { DRAINED(thread) -> old = mem[place]; mem[place] = value }

#define COMPARE_EXCHANGE(thread, place, value, comparand, old) \
    atomic { DRAINED(thread) -> \
        old = mem[place]; \
        if \
        :: old == comparand -> mem[place] = value \
        :: else \
        fi }

/* A thread sees its own store before it is in memory. No thread here has two under way to a place that it looks at. */
#define LOAD(thread, place, into) \
    atomic { \
        if \
        :: buffer[thread]??[eval(place), _, _] -> buffer[thread]?? <eval(place), into, _> \
        :: else -> into = mem[place] \
        fi }

proctype Processor(byte thread) {
    byte place, value;
end:
    do
    :: atomic { buffer[thread]?place, value, _ ->
           mem[place] = value; place = 0; value = 0 }
#ifndef TSO
       /* One that overtakes: the oldest to its place, and plain. */
    :: atomic { len(buffer[thread]) > 1 ->
           do
           :: place < PLACES - 1 -> place++
           :: break
           od;
           if
           :: buffer[thread]??[eval(place), _, PLAIN] ->
               buffer[thread]??eval(place), value, PLAIN;
               mem[place] = value
           :: else
           fi;
           place = 0; value = 0 }
#endif
    od
}

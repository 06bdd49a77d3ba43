using System.Runtime.CompilerServices;

namespace GrpcShm.Transport.Signaling;

/// <summary>
/// Decides which thread looks at conditions that other threads set, if a look and its consequences must be one step. A
/// thread that sets a condition signals. One thread at a time has the turn: it looks at all conditions, and waits only
/// if nobody has signalled since it began to look.
/// </summary>
/// <remarks>
/// <code>
/// Idle     --TryEnter----> Owned     by a caller, who has the turn now
/// Waiting  --TrySignal---> Owned     by a signaller, who has the turn now
/// Owned    --TrySignal---> Signaled  by a signaller: the owner has to look again
/// Owned    --TakeSignal--> Owned     by the owner, before each look that may end in a wait; Signaled as well
/// Owned    --TryWait-----> Waiting   by the owner, unless somebody has signalled since
/// Owned    --Yield-------> Waiting   by the owner, which goes on later; Signaled as well
/// Owned    --Leave-------> Idle      by the owner, to which signals do not matter any more; Signaled as well
/// Owned    --Seal--------> Sealed    by the owner, for ever; Signaled as well
/// Idle     --TrySeal-----> Sealed    by anyone, for ever
/// </code>
/// <para>The state is one word, which only compare-and-swap and exchange change: each change is a full fence. Fields
/// that only the owner of the turn touches may therefore be plain fields.</para>
/// <para>A condition is set first, and then signalled. <see cref="TrySignal"/> begins with a fence: condition, fence,
/// word. The owner changes the word first, and then looks: word, fence, condition. So either the signaller finds the
/// word changed, or the look finds the condition. Without one of the fences both could miss, and a thread would wait
/// for a condition that is there.</para>
/// <para>This is a struct, so that it costs its holder no object. It must not be copied: the field that holds it is not
/// read-only, and it is never passed by value.</para>
/// </remarks>
internal struct Turn
{
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Owned = 2;
    private const int Signaled = 3;
    private const int Sealed = 4;

    private int _state;

    /// <summary>Whether nobody has the turn, and a signal will give it to somebody. May be over at once.</summary>
    public readonly bool IsWaiting => Volatile.Read(in _state) == Waiting;

    /// <summary>Whether nobody has the turn, and a signal does nothing. May be over at once.</summary>
    public readonly bool IsIdle => Volatile.Read(in _state) == Idle;

    /// <summary>Whether nobody will have the turn any more.</summary>
    public readonly bool IsSealed => Volatile.Read(in _state) == Sealed;

    /// <summary>Takes the turn, if it is idle.</summary>
    /// <returns>Whether the caller has the turn now.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryEnter() => Interlocked.CompareExchange(ref _state, Owned, Idle) == Idle;

    /// <summary>Says that something has changed. Any thread.</summary>
    /// <returns>
    /// Whether the caller has the turn now: then it has to look. If not, the thread that has the turn looks again, or a
    /// thread looks after it has taken the turn, or nobody ever looks.
    /// </returns>
    public bool TrySignal()
    {
        // Without the fence this could read Idle, while the thread that enters still reads the old condition.
        Interlocked.MemoryBarrier();
        while (true)
        {
            switch (Volatile.Read(ref _state))
            {
                case Waiting:
                    if (Interlocked.CompareExchange(ref _state, Owned, Waiting) == Waiting)
                    {
                        return true;
                    }

                    break;
                case Owned:
                    if (Interlocked.CompareExchange(ref _state, Signaled, Owned) == Owned)
                    {
                        return false;
                    }

                    break;
                default:
                    return false;
            }
        }
    }

    /// <summary>
    /// Forgets the signals that have come so far: the look that follows sees their conditions. By the owner.
    /// </summary>
    /// <remarks>
    /// An exchange is used for its fence: the condition was set before the signal that this overwrites, and the look
    /// behind the fence sees it.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void TakeSignal() => Interlocked.Exchange(ref _state, Owned);

    /// <summary>Waits for a signal, unless one has come since <see cref="TakeSignal"/>. By the owner.</summary>
    /// <returns>Whether the caller has given up the turn. If not, it has to look again.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryWait() => Interlocked.CompareExchange(ref _state, Waiting, Owned) == Owned;

    /// <summary>
    /// Gives the turn up before everything has been looked at. By the owner, which has to signal afterwards.
    /// </summary>
    /// <remarks>
    /// Afterwards, not before: a signal that comes while the turn is still owned would be overwritten here, and no
    /// other signal would follow.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Yield() => Interlocked.Exchange(ref _state, Waiting);

    /// <summary>Gives the turn up, with nothing left to wait for. By the owner.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Leave() => Interlocked.Exchange(ref _state, Idle);

    /// <summary>Lets no thread have the turn any more. By the owner, whose turn is the last.</summary>
    public void Seal() => Interlocked.Exchange(ref _state, Sealed);

    /// <summary>Lets no thread have the turn any more, if it is idle.</summary>
    /// <returns>Whether the turn was idle, and this call has sealed it.</returns>
    public bool TrySeal() => Interlocked.CompareExchange(ref _state, Sealed, Idle) == Idle;
}

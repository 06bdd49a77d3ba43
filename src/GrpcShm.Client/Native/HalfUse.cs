namespace GrpcShm.Client.Native;

/// <summary>
/// Says who ends one half of a call: the operation that uses it, one at a time, or whoever ends the call. The one that
/// ends the call leaves the half to an operation that is under way.
/// </summary>
/// <remarks>
/// The half may come late, at the same time. Then the thread that brings it writes it, has a fence, and looks whether
/// the use has ended; the others change the use, which is a fence, and take the half. At least one of them ends it.
/// </remarks>
internal struct HalfUse
{
    private const int Busy = 1;
    private const int Ended = 2;
    private const int Completed = 4;

    private int _state;

    internal enum Entry
    {
        Entered,
        InUse,
        Ended,
        Completed,
    }

    /// <summary>True if the use has ended, and no operation is under way that ends the half.</summary>
    public readonly bool HasEnded => (Volatile.Read(in _state) & (Busy | Ended)) == Ended;

    /// <summary>True if the use was ended in order.</summary>
    public readonly bool IsCompleted => (Volatile.Read(in _state) & Completed) != 0;

    /// <summary>Begins an operation.</summary>
    public Entry Enter() => Map(Interlocked.CompareExchange(ref _state, Busy, 0));

    /// <summary>Ends an operation.</summary>
    /// <returns>True if the use has ended meanwhile: then the caller has to end the half.</returns>
    public bool Leave() => Interlocked.And(ref _state, ~Busy) != Busy;

    /// <summary>Ends the use, since the call has ended.</summary>
    /// <returns>True if the caller has to end the half.</returns>
    public bool End() => Interlocked.Or(ref _state, Ended) == 0;

    /// <summary>Ends the use in order, unless an operation is under way.</summary>
    /// <returns><see cref="Entry.Entered"/> if the caller has to end the half.</returns>
    public Entry Complete() => Map(Interlocked.CompareExchange(ref _state, Ended | Completed, 0));

    private static Entry Map(int before) => before switch
    {
        0 => Entry.Entered,
        _ when (before & Completed) != 0 => Entry.Completed,
        _ when (before & Ended) != 0 => Entry.Ended,
        _ => Entry.InUse,
    };
}

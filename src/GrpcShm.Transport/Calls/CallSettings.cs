namespace GrpcShm.Transport.Calls;

/// <summary>How one end of a connection in direct mode carries calls.</summary>
internal sealed record CallSettings
{
    /// <summary>
    /// The credit with which each side begins a call. It is the same for all calls, so that no side has to wait until
    /// the other tells its credit. A receiver reserves so much for each call, so it is no more than a small call needs:
    /// a message of 64 KiB with its prefix, which so never waits for credit.
    /// </summary>
    public const int FirstWindow = 68 * 1024;

    /// <summary>
    /// The most credit that a sender may have. It is also the most that a receiver normally lets a call hold: the bytes
    /// that the peer may still send, and the bytes that wait for their reader.
    /// </summary>
    public const int Window = 256 * 1024;

    /// <summary>A receiver gives credit in pieces of at least this, as long as its budgets allow.</summary>
    public const int LeastCredit = Window / 4;

    /// <summary>The most bytes of a block of headers or trailers that is accepted.</summary>
    public int MaxHeaderBytes { get; init; } = HeaderBlock.MaxSize;

    /// <summary>
    /// The most fields of a block of headers or trailers that is accepted; a call with more is reset.
    /// </summary>
    public int MaxFields { get; init; } = 1000;

    /// <summary>
    /// The most bytes of names and values of a block of headers or trailers; a call with more is reset. A block that
    /// refers to pairs is far smaller than its names and values.
    /// </summary>
    public int MaxFieldBytes { get; init; } = HeaderBlock.MaxSize;

    /// <summary>
    /// How many bytes the calls of the connection may hold, and have credit for, together. <see langword="null"/> for
    /// any number, for a side that trusts its peer.
    /// </summary>
    public long? MaxBufferedBytes { get; init; }

    /// <summary>The budget of all connections of a listener together, if there is one.</summary>
    public SharedBudget? SharedBudget { get; init; }

    /// <summary>
    /// How many bytes a reader may leave unconsumed before its call is given up: the largest message, with its prefix.
    /// </summary>
    public long MaxUnconsumedBytes { get; init; } = long.MaxValue;

    /// <summary>Where the work of calls runs.</summary>
    public RunMode RunMode { get; init; }
}

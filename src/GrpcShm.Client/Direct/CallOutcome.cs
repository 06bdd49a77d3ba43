namespace GrpcShm.Client.Direct;

/// <summary>What comes of a call. Decided once, by compare-and-swap, by whoever is first.</summary>
/// <remarks>
/// <code>
/// field     written by                                          read by
/// _result   anybody, by compare-and-swap, once                  anybody
/// Failure   whoever has settled it, before the completion is    the completion
///           scheduled, which orders the two
/// </code>
/// </remarks>
internal sealed class CallOutcome
{
    private volatile Result _result;

    internal enum Result
    {
        None,
        Response,
        Failure,
        Cancellation,
    }

    public Result Kind => _result;

    /// <summary>Whether it is decided.</summary>
    public bool IsSettled => _result != Result.None;

    /// <summary>Why there is no response, if there is none. By the completion.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Decides it, if nobody else has.</summary>
    /// <returns>Whether it is decided so. Then the caller has to schedule the completion.</returns>
    public bool TrySettle(Result result, Exception? failure = null)
    {
        if (Interlocked.CompareExchange(ref _result, result, Result.None) != Result.None)
        {
            return false;
        }

        Failure = failure;
        return true;
    }

    /// <summary>Makes it as new. By the last who uses the call.</summary>
    public void Reuse()
    {
        _result = Result.None;
        Failure = null;
    }
}

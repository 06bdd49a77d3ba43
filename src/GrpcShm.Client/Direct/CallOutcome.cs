namespace GrpcShm.Client.Direct;

/// <summary>How a call ends. Decided once, by compare-and-swap, by whoever is first.</summary>
/// <remarks>
/// <code>
/// field     written by                                          read by
/// _result   anybody, by compare-and-swap, once                  anybody
/// Failure   whoever has settled the outcome, before the         the completion
///           completion is scheduled, which orders the two
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

    /// <summary>True once the outcome is decided.</summary>
    public bool IsSettled => _result != Result.None;

    /// <summary>The reason for a failure. By the completion.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Decides the outcome, if nobody else has.</summary>
    /// <returns>True if this call has decided. Then the caller has to schedule the completion.</returns>
    public bool TrySettle(Result result, Exception? failure = null)
    {
        if (Interlocked.CompareExchange(ref _result, result, Result.None) != Result.None)
        {
            return false;
        }

        Failure = failure;
        return true;
    }

    /// <summary>Prepares it for the next call. By the last user of the call.</summary>
    public void Reuse()
    {
        _result = Result.None;
        Failure = null;
    }
}

using GrpcShm.AspNetCore.Diagnostics;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// How a request is given up. First its token is cancelled, then what the token's callbacks do is done, which is how tokens get to know
/// that are linked to it, as the one of a gRPC call with a deadline. Only then the handler's read fails, or its write goes on: whoever
/// catches what a read throws asks the token whether that was to be expected.
/// </summary>
/// <remarks>
/// <code>
/// field       written by                                         read by
/// _isAborted  whoever is the first to give up, by exchange       anybody
/// _aborted    whoever first asks for the token, by swap          whoever gives up, and those who ask for the token
/// </code>
/// Both writes are full fences, and each is followed by a look at the other field: so one who makes the token sees that it is to be
/// cancelled, or the one who gives up sees the token.
/// </remarks>
internal abstract partial class ServerCall
{
    // A callback that waits for the handler, or for ever, must not keep the handler's read from failing.
    private static readonly TimeSpan MostForCallbacks = TimeSpan.FromSeconds(5);

    private CancellationTokenSource? _aborted;
    private int _isAborted;

    /// <summary>Whether nobody waits for the response any more.</summary>
    protected bool IsRequestAborted => Volatile.Read(ref _isAborted) != 0;

    /// <summary>Cancels the token of the request, and fails its body when that is done. Runs no foreign code. Any thread; again has no effect.</summary>
    /// <param name="reason">What the reader of the body is told.</param>
    /// <param name="byPeer">Whether the client sends no more.</param>
    protected void AbortRequest(Exception reason, bool byPeer = false)
    {
        if (!TryUse())
        {
            // Of one who has kept it beyond its end.
            return;
        }

        var isFirst = Interlocked.Exchange(ref _isAborted, 1) == 0;

        try
        {
            // By each of them: the first may not have come to it yet, and what the others do next would tell the writer.
            CallStream.NoteFailure(reason, byPeer);
        }
        finally
        {
            // Whatever has been thrown: nobody else cancels the token and tells reader and writer.
            if (isFirst)
            {
                CancelAndTell();
            }
            else
            {
                LetGo();
            }
        }
    }

    private void CancelAndTell()
    {
        var cancellation = Volatile.Read(ref _aborted)?.CancelAsync() ?? Task.CompletedTask;
        if (cancellation.IsCompletedSuccessfully)
        {
            CallStream.TellFailure();
            LetGo();
        }
        else
        {
            _ = TellAfterAsync(cancellation);
        }
    }

    private async Task TellAfterAsync(Task cancellation)
    {
        try
        {
            // Where the pool is late, the time begins when it has come to the callbacks, which were queued before this.
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            await cancellation.WaitAsync(MostForCallbacks, Connection.Application.Time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            CallStream.TellFailure();
            await ObserveAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            LetGo();
        }
    }

    private async Task ObserveAsync(Task cancellation)
    {
        try
        {
            await cancellation.ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Log.CallbackFailed(Connection.Application.Logger, Connection.ConnectionId, exception);
        }
    }

    private CancellationToken AbortedToken()
    {
        var source = Volatile.Read(ref _aborted);
        if (source is null)
        {
            source = new CancellationTokenSource();
            source = Interlocked.CompareExchange(ref _aborted, source, null) ?? source;
            if (IsRequestAborted)
            {
                // There are callbacks only if somebody else has asked for the token at the same time.
                _ = ObserveAsync(source.CancelAsync());
            }
        }

        return source.Token;
    }

    private void ReuseAborting()
    {
        if (_aborted is { } aborted && !aborted.TryReset())
        {
            // Not disposed: somebody may hold its token still.
            _aborted = null;
        }

        _isAborted = 0;
    }
}

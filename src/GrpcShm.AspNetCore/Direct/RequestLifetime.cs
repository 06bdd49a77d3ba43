using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// How a request is given up. First its token is cancelled, then what the token's callbacks do is done, which is how
/// tokens get to know that are linked to it, as the one of a gRPC call with a deadline. Only then the handler's read
/// fails, or its write goes on: whoever catches what a read throws asks the token whether that was to be expected.
/// </summary>
/// <remarks>
/// <code>
/// field       written by                                         read by
/// _isAborted  whoever is the first to give up, by exchange       anybody
/// _aborted    whoever first asks for the token, by swap          whoever gives up, and those who ask for the token
/// </code>
/// Both writes are full fences, and each is followed by a look at the other field: so one who makes the token sees that
/// it is to be cancelled, or the one who gives up sees the token.
/// </remarks>
internal sealed class RequestLifetime(ServerCall call) : IHttpRequestLifetimeFeature
{
    // A callback that waits for the handler, or for ever, must not keep the handler's read from failing.
    private static readonly TimeSpan MostForCallbacks = TimeSpan.FromSeconds(5);

    private CancellationTokenSource? _aborted;
    private CancellationToken? _replacedToken;
    private int _isAborted;

    /// <summary>Whether nobody waits for the response any more.</summary>
    public bool IsAborted => Volatile.Read(ref _isAborted) != 0;

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _replacedToken ?? AbortedToken();
        set => _replacedToken = value;
    }

    void IHttpRequestLifetimeFeature.Abort()
    {
        // The peer last: its answer must not be quicker to say why.
        Abort(RequestFailures.CreateAbortedByApplication());
        call.CallStream.Reset(CallError.Internal);
    }

    /// <summary>
    /// Cancels the token of the request, and fails its body when that is done. Runs no foreign code. Any thread; again
    /// has no effect.
    /// </summary>
    /// <param name="reason">What the reader of the body is told.</param>
    /// <param name="byPeer">Whether the client sends no more.</param>
    public void Abort(Exception reason, bool byPeer = false)
    {
        if (!call.TryUse())
        {
            // Of one who has kept it beyond its end.
            return;
        }

        var isFirst = Interlocked.Exchange(ref _isAborted, 1) == 0;

        try
        {
            // By each of them: the first may not have come to it yet, and what the others do next would tell the
            // writer.
            call.CallStream.NoteFailure(reason, byPeer);
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
                call.LetGo();
            }
        }
    }

    /// <summary>Makes it as new.</summary>
    public void Reuse()
    {
        if (_aborted is { } aborted && !aborted.TryReset())
        {
            // Not disposed: somebody may hold its token still.
            _aborted = null;
        }

        _isAborted = 0;
        _replacedToken = null;
    }

    private void CancelAndTell()
    {
        var cancellation = Volatile.Read(ref _aborted)?.CancelAsync() ?? Task.CompletedTask;
        if (cancellation.IsCompletedSuccessfully)
        {
            call.CallStream.TellFailure();
            call.LetGo();
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
            await cancellation.WaitAsync(MostForCallbacks, call.Connection.Application.Time)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            call.CallStream.TellFailure();
            await ObserveAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            call.LetGo();
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
            var connection = call.Connection;
            Log.CallbackFailed(connection.Application.Logger, connection.ConnectionId, exception);
        }
    }

    private CancellationToken AbortedToken()
    {
        var source = Volatile.Read(ref _aborted);
        if (source is null)
        {
            source = new CancellationTokenSource();
            source = Interlocked.CompareExchange(ref _aborted, source, null) ?? source;
            if (IsAborted)
            {
                // There are callbacks only if somebody else has asked for the token at the same time.
                _ = ObserveAsync(source.CancelAsync());
            }
        }

        return source.Token;
    }
}

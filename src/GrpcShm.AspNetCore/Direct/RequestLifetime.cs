using GrpcShm.AspNetCore.Diagnostics;
using GrpcShm.Transport.Calls;
using Microsoft.AspNetCore.Http.Features;

namespace GrpcShm.AspNetCore.Direct;

/// <summary>
/// Gives a request up, in this order: its token is cancelled; the callbacks of the token run, by which linked tokens
/// are cancelled, too, as the token of a gRPC call with a deadline; only then the handler's read fails, or its write
/// goes on. A handler that catches the exception of a read asks the token whether it was to be expected.
/// </summary>
/// <remarks>
/// <code>
/// field       written by                                         read by
/// _isAborted  the first that gives up, by exchange               anybody
/// _aborted    the first that asks for the token, by swap         whoever gives up, and whoever asks for the token
/// </code>
/// Both writes are full fences, and each is followed by a read of the other field: so the thread that makes the token
/// sees that it has to be cancelled, or the thread that gives up sees the token.
/// </remarks>
internal sealed class RequestLifetime(ServerCall call) : IHttpRequestLifetimeFeature
{
    // A callback that waits for the handler, or for ever, must not hold up the failure of the handler's read.
    private static readonly TimeSpan MostForCallbacks = TimeSpan.FromSeconds(5);

    private CancellationTokenSource? _aborted;
    private CancellationToken? _replacedToken;
    private int _isAborted;

    /// <summary>True once nobody waits for the response any more.</summary>
    public bool IsAborted => Volatile.Read(ref _isAborted) != 0;

    CancellationToken IHttpRequestLifetimeFeature.RequestAborted
    {
        get => _replacedToken ?? AbortedToken();
        set => _replacedToken = value;
    }

    void IHttpRequestLifetimeFeature.Abort()
    {
        // The peer is told last: else its answer could be the first reason.
        Abort(RequestFailures.CreateAbortedByApplication());
        call.CallStream.Reset(CallError.Internal);
    }

    /// <summary>
    /// Cancels the token of the request, and fails its body when the callbacks have run. Runs no foreign code itself.
    /// Any thread; a second call has no effect.
    /// </summary>
    /// <param name="reason">The exception for the reader of the body.</param>
    /// <param name="byPeer">True if the client sends no more.</param>
    public void Abort(Exception reason, bool byPeer = false)
    {
        if (!call.TryUse())
        {
            // By code that has kept the feature beyond the end of the request.
            return;
        }

        var isFirst = Interlocked.Exchange(ref _isAborted, 1) == 0;

        try
        {
            // Noted by each call, not by the first alone: the first may not have come so far yet, and the caller's next
            // step would tell the writer another reason.
            call.CallStream.NoteFailure(reason, byPeer);
        }
        finally
        {
            // Also if something was thrown: nobody else cancels the token, and tells the reader and the writer.
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

    /// <summary>Prepares it for the next call.</summary>
    public void Reuse()
    {
        if (_aborted is { } aborted && !aborted.TryReset())
        {
            // Not disposed: somebody may still hold its token.
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
            // If the pool is late, the time begins when it has come to the callbacks, which were queued before this.
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
                // There can be callbacks only if another thread has asked for the token at the same time.
                _ = ObserveAsync(source.CancelAsync());
            }
        }

        return source.Token;
    }
}

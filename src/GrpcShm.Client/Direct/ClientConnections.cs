using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Direct;

/// <summary>
/// The connections of a channel in direct mode: one, made when it is needed, and more while all have as many calls as the
/// server takes. If the server has no direct mode, requests go over HTTP/2 until its last connection
/// is gone, and then it is asked again.
/// </summary>
internal sealed partial class ClientConnections : IDisposable
{
    // Each is a connection that had to be made, or on which the call came to nothing.
    private const int MaxFailures = 32;

    private readonly Lock _gate = new();
    private readonly SharedMemoryConnector _connector;
    private readonly ClientCallPool _calls = new();
    private readonly CallPaths _paths;
    private readonly RoomQueue _queue = new();

    // Replaced under the gate, and read by anybody without it: who finds a connection there that has just retired is turned away by it.
    private DirectConnection[] _live = [];
    private ConnectAttempt? _attempt;
    private bool _isDisposed;

    /// <param name="connector">Makes the connections.</param>
    /// <param name="http2">The way over HTTP/2 for a server that has no direct mode, if that is allowed.</param>
    /// <param name="plain">The way for requests that direct mode does not carry, if there is to be one.</param>
    /// <param name="options">How to connect.</param>
    /// <param name="diagnostics">Is told of it.</param>
    public ClientConnections(
        SharedMemoryConnector connector,
        Http2Route? http2,
        PlainRequests? plain,
        SharedMemoryClientOptions options,
        ClientDiagnostics diagnostics)
    {
        _connector = connector;
        _paths = new CallPaths(options.RunMode);
        Http2 = http2;
        Plain = plain;
        Options = options;
        Diagnostics = diagnostics;
    }

    public SharedMemoryClientOptions Options { get; }

    public ClientDiagnostics Diagnostics { get; }

    /// <summary>The way over HTTP/2, if that is allowed.</summary>
    public Http2Route? Http2 { get; }

    /// <summary>The way for requests that direct mode does not carry, if there is to be one.</summary>
    public PlainRequests? Plain { get; }

    /// <summary>Whether direct mode carries a request.</summary>
    public bool Carries(HttpRequestMessage request) =>
        DirectRequests.MayBeCarried(request) && DirectRequests.WhyNot(request, _paths.Get(request.RequestUri!)) is null;

    /// <summary>Sends a request on the connection that there is.</summary>
    public SendResult TrySend(PendingRequest pending)
    {
        var request = pending.Request;
        if (!DirectRequests.MayBeCarried(request))
        {
            return SendResult.NotCarried;
        }

        var path = _paths.Get(request.RequestUri!);
        if (!path.IsCarried)
        {
            return SendResult.NotCarried;
        }

        // Behind those who wait. Whether there is room is found out without a call that is then of no use.
        if (_queue.Count == 0)
        {
            foreach (var connection in Volatile.Read(ref _live))
            {
                if (!connection.Calls.IsFull && _calls.Rent().Begin(pending, connection, path) is var result and not SendResult.NoConnection)
                {
                    return result;
                }
            }
        }

        return SendResult.NoConnection;
    }

    /// <summary>Sends a request another way, since direct mode does not carry it.</summary>
    public Task<HttpResponseMessage> SendPlainAsync(PendingRequest pending)
    {
        if (Plain is null)
        {
            var request = pending.Request;
            var reason = pending.WhyNotCarried ?? DirectRequests.WhyNot(request, _paths.Get(request.RequestUri!));
            return Task.FromException<HttpResponseMessage>(DirectRequests.Refuse(reason!));
        }

        // Found out late, since its headers are too large, or have been added to. What is measured of it has to be so over HTTP/2.
        return pending.IsObserved
            ? Task.FromException<HttpResponseMessage>(new UnsentRequestException())
            : Plain.SendAsync(pending, this);
    }

    /// <summary>Sends a request another way of which somebody was told before it was known that direct mode does not carry it.</summary>
    public Task<HttpResponseMessage> SendObservedPlainAsync(PendingRequest pending) => Plain!.SendAsync(pending, this);

    /// <summary>Sends a request while the caller's thread waits, which nothing does for what direct mode carries.</summary>
    public HttpResponseMessage SendPlain(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (Plain is null)
        {
            throw DirectRequests.Refuse(DirectRequests.WhyNot(request, _paths.Get(request.RequestUri!))!);
        }

        return Http2 is { IsLive: true } http2 ? http2.Send(request, cancellationToken) : Plain.Send(request, cancellationToken);
    }

    /// <summary>Whether there is a connection for calls.</summary>
    public bool HasConnection => Volatile.Read(ref _live).Length > 0;

    /// <summary>Makes a connection if there is none.</summary>
    /// <returns>Whether requests can be sent on it. If not, the server speaks HTTP/2.</returns>
    public async Task<bool> ConnectAsync(CancellationToken cancellationToken)
    {
        for (var failures = 0; Volatile.Read(ref _live).Length == 0; failures++)
        {
            if (Http2 is { IsLive: true })
            {
                return false;
            }

            ThrowIfTooMany(failures);

            await WaitForConnectionAsync(cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Sends a request once more, which completes with what comes of that.</summary>
    /// <param name="pending">The request.</param>
    /// <param name="isRefused">Whether a server has refused it that stays, and needs some time.</param>
    public void Retry(PendingRequest pending, bool isRefused = false) => _ = RetryAsync(pending, isRefused);

    /// <summary>A connection takes no more calls.</summary>
    public void Remove(DirectConnection connection)
    {
        lock (_gate)
        {
            if (Array.IndexOf(_live, connection) >= 0)
            {
                Volatile.Write(ref _live, [.. _live.Where(c => c != connection)]);
            }
        }

        _queue.Wake();
    }

    /// <summary>A call has left a connection that was full.</summary>
    public void RoomIsThere() => _queue.Wake();

    /// <summary>
    /// No further request will come, for nobody can send one. What goes over HTTP/2 ends by the idle time of that, as over a socket.
    /// </summary>
    public void Forget()
    {
        ConnectAttempt? attempt;
        DirectConnection[] live;
        lock (_gate)
        {
            attempt = _attempt;
            _attempt = null;
            live = _live;
        }

        attempt?.Cancel();
        Array.ForEach(live, static connection => connection.Retire());
    }

    public void Dispose()
    {
        ConnectAttempt? attempt;
        DirectConnection[] live;
        lock (_gate)
        {
            _isDisposed = true;
            attempt = _attempt;
            _attempt = null;
            live = _live;
        }

        attempt?.Cancel();
        _queue.WakeAll();
        Array.ForEach(live, static connection => connection.Retire());
        Http2?.Dispose();
        Plain?.Dispose();
    }

    private static void Count(PendingRequest pending)
    {
        ThrowIfTooMany(pending.Failures++);
    }

    private static void ThrowIfTooMany(int failures)
    {
        if (failures >= MaxFailures)
        {
            throw CallFailures.Connecting(new IOException(
                $"The server has closed connections or refused the call {MaxFailures} times, one after the other."));
        }
    }

    private async Task RetryAsync(PendingRequest pending, bool isRefused)
    {
        // Over HTTP/2 that is told there.
        pending.QueuedSince = pending.IsObserved ? Diagnostics.BeginToQueue() : 0;
        try
        {
            Count(pending);
            if (isRefused)
            {
                // Half a second in all, as over HTTP/2: see PushedRequestHandler.
                await Task.Delay(TimeSpan.FromMilliseconds(pending.Failures - 1), pending.CancellationToken).ConfigureAwait(false);
            }

            switch (await SendAsync(pending).ConfigureAwait(false))
            {
                case SendResult.NoDirectMode:
                    pending.TrySetResult(pending.IsObserved
                        ? throw new UnsentRequestException()
                        : await Http2!.SendAsync(pending.Request, pending.CancellationToken).ConfigureAwait(false));
                    break;
                case SendResult.NotCarried:
                    pending.TrySetResult(await SendPlainAsync(pending).ConfigureAwait(false));
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            pending.TrySetCanceled(pending.CancellationToken);
            LeaveQueue(pending);
        }
        catch (Exception exception)
        {
            pending.TrySetException(exception);
            if (exception is not UnsentRequestException)
            {
                LeaveQueue(pending);
            }
        }
    }

    /// <summary>A request has waited in vain. Last of all, since listeners may throw.</summary>
    private void LeaveQueue(PendingRequest pending)
    {
        Diagnostics.EndToQueue(pending.Request, pending.QueuedSince);
        pending.QueuedSince = 0;
    }

    /// <summary>Sends a request on a connection that is made first, if there is none.</summary>
    private async Task<SendResult> SendAsync(PendingRequest pending)
    {
        while (true)
        {
            if (TrySend(pending) is var result and not SendResult.NoConnection)
            {
                return result;
            }

            if (Http2 is { IsLive: true })
            {
                return SendResult.NoDirectMode;
            }

            if (Volatile.Read(ref _live).Length == 0)
            {
                Count(pending);
                await WaitForConnectionAsync(pending.CancellationToken).ConfigureAwait(false);
            }
            else if (await SendInTurnAsync(pending).ConfigureAwait(false) is var later and not SendResult.NoConnection)
            {
                return later;
            }
        }
    }
}

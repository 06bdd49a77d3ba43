using GrpcShm.Client.Diagnostics;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;
using GrpcShm.Transport.Rendezvous;

namespace GrpcShm.Client.Direct;

/// <summary>
/// The connections of a channel in direct mode: one, made when it is needed, and more as long as the server takes no
/// further calls on it. If the server has no direct mode, requests go over HTTP/2 until its last connection
/// is gone, and then it is asked again.
/// </summary>
internal sealed class ClientConnections : IDisposable
{
    // Each is a connection that had to be made, or on which the call came to nothing.
    private const int MaxFailures = 32;

    private readonly Lock _gate = new();
    private readonly SharedMemoryConnector _connector;
    private readonly ClientCallPool _calls = new();
    private readonly CallPaths _paths;
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

        foreach (var connection in Volatile.Read(ref _live))
        {
            if (!connection.IsFull && _calls.Rent().Begin(pending, connection, path) is var result and not SendResult.NoConnection)
            {
                return result;
            }
        }

        return SendResult.NoConnection;
    }

    /// <summary>Sends a request another way, since direct mode does not carry it.</summary>
    public Task<HttpResponseMessage> SendPlainAsync(PendingRequest pending)
    {
        if (Plain is null || pending.IsObserved)
        {
            var request = pending.Request;
            var reason = pending.WhyNotCarried ?? DirectRequests.WhyNot(request, _paths.Get(request.RequestUri!));
            return Task.FromException<HttpResponseMessage>(DirectRequests.Refuse(reason!));
        }

        return Plain.SendAsync(pending.Request, this, pending.CancellationToken);
    }

    /// <summary>Makes a connection if there is none.</summary>
    /// <returns>Whether requests can be sent on it. If not, the server speaks HTTP/2.</returns>
    public async Task<bool> ConnectAsync(CancellationToken cancellationToken)
    {
        while (Volatile.Read(ref _live).Length == 0)
        {
            if (Http2 is { IsLive: true })
            {
                return false;
            }

            await WaitForConnectionAsync(cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Sends a request once more, which completes with what comes of that.</summary>
    public void Retry(PendingRequest pending) => _ = RetryAsync(pending);

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
    }

    /// <summary>A connection has no calls. One is enough.</summary>
    public void RetireIfSurplus(DirectConnection connection)
    {
        var live = Volatile.Read(ref _live);
        if (live.Length > 1 && live[0] != connection)
        {
            connection.Retire();
        }
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
        Array.ForEach(live, static connection => connection.Retire());
        Http2?.Dispose();
        Plain?.Dispose();
    }

    private static void Count(PendingRequest pending)
    {
        if (pending.Failures++ >= MaxFailures)
        {
            throw CallFailures.Connecting(new IOException(
                $"The server has closed connections or refused the call {MaxFailures} times, one after the other."));
        }
    }

    private bool HasRoom() => Array.Exists(Volatile.Read(ref _live), static connection => !connection.IsFull);

    private async Task RetryAsync(PendingRequest pending)
    {
        try
        {
            Count(pending);
            switch (await SendAsync(pending).ConfigureAwait(false))
            {
                case SendResult.NoDirectMode:
                    pending.TrySetResult(await Http2!.SendAsync(pending.Request, pending.CancellationToken).ConfigureAwait(false));
                    break;
                case SendResult.NotCarried:
                    pending.TrySetResult(await SendPlainAsync(pending).ConfigureAwait(false));
                    break;
            }
        }
        catch (OperationCanceledException)
        {
            pending.TrySetCanceled(pending.CancellationToken);
        }
        catch (Exception exception)
        {
            pending.TrySetException(exception);
        }
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

            Count(pending);
            await WaitForConnectionAsync(pending.CancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Waits for a connection, which all who wait share.</summary>
    private async Task WaitForConnectionAsync(CancellationToken cancellationToken)
    {
        ConnectAttempt attempt;
        bool isFirst;
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(HttpMessageHandler));
            if (HasRoom())
            {
                return;
            }

            isFirst = _attempt is null;
            attempt = _attempt ??= new ConnectAttempt();
            attempt.Waiters++;
        }

        if (isFirst)
        {
            Start(attempt);
        }

        try
        {
            await attempt.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            throw exception is ObjectDisposedException ? exception : CallFailures.Connecting(exception);
        }
        finally
        {
            Leave(attempt);
        }
    }

    /// <summary>
    /// Begins to connect, right here if that runs no foreign code: it does not block, and saves a hop. What comes of it belongs
    /// to all who wait, so nothing of this call's context goes with it.
    /// </summary>
    private void Start(ConnectAttempt attempt)
    {
        if (Options.AuthorizeServer is not null || ExecutionContext.IsFlowSuppressed())
        {
            ThreadPool.UnsafeQueueUserWorkItem(static s => _ = s.Owner.RunAsync(s.Attempt), (Owner: this, Attempt: attempt), preferLocal: false);
            return;
        }

        using (ExecutionContext.SuppressFlow())
        {
            _ = RunAsync(attempt);
        }
    }

    /// <summary>One who waited does so no more. With nobody left, there is nobody to connect for.</summary>
    private void Leave(ConnectAttempt attempt)
    {
        lock (_gate)
        {
            if (--attempt.Waiters > 0 || _attempt != attempt)
            {
                return;
            }

            _attempt = null;
        }

        attempt.Cancel();
    }

    private async Task RunAsync(ConnectAttempt attempt)
    {
        Exception? failure = null;
        try
        {
            var connection = await _connector.ConnectAsync(attempt.Token).ConfigureAwait(false);
            Take(attempt, connection);
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        lock (_gate)
        {
            _attempt = _attempt == attempt ? null : _attempt;
        }

        attempt.End(failure);
    }

    private void Take(ConnectAttempt attempt, SharedMemoryConnection connection)
    {
        DirectConnection? direct = null;
        if (connection.Mode == ConnectionModes.Calls)
        {
            try
            {
                direct = new DirectConnection(connection, this);
            }
            catch (ObjectDisposedException)
            {
                // The server has gone in the meantime. Who waits tries again.
                return;
            }
        }

        bool isWanted;
        lock (_gate)
        {
            isWanted = _attempt == attempt;
            if (isWanted && direct is not null)
            {
                Volatile.Write(ref _live, [.. _live, direct]);
            }
        }

        if (direct is null)
        {
            if (isWanted)
            {
                Http2!.HandOver(connection);
            }
            else
            {
                connection.Dispose();
            }
        }
        else if (!isWanted)
        {
            direct.Retire();
        }
    }
}

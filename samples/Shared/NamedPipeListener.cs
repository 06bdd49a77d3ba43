using System.IO.Pipes;
using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Samples;

/// <summary>Accepts the connections to one named pipe.</summary>
internal sealed class NamedPipeListener : IConnectionListener
{
    private readonly NamedPipeEndPoint _endPoint;
    private readonly CancellationTokenSource _unbound = new();
    private NamedPipeServerStream? _next;

    public NamedPipeListener(NamedPipeEndPoint endPoint)
    {
        _endPoint = endPoint;
        // This makes the first pipe at once. So the binding fails if the name is not available, and clients can connect
        // when it has succeeded.
        _next = CreatePipe();
    }

    public EndPoint EndPoint => _endPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _unbound.Token);
        while (Interlocked.Exchange(ref _next, null) is { } pipe)
        {
            try
            {
                await pipe.WaitForConnectionAsync(either.Token);
                _next = CreatePipe();
                return new NamedPipeConnection(pipe, _endPoint);
            }
            catch (IOException) when (!_unbound.IsCancellationRequested)
            {
                // The client closed before it was accepted.
                await pipe.DisposeAsync();
                _next = CreatePipe();
            }
            catch (OperationCanceledException)
            {
                await pipe.DisposeAsync();
                cancellationToken.ThrowIfCancellationRequested();
            }
        }

        return null;
    }

    public async ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        await _unbound.CancelAsync();
        if (Interlocked.Exchange(ref _next, null) is { } pipe)
        {
            await pipe.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await UnbindAsync();
        _unbound.Dispose();
    }

    private NamedPipeServerStream CreatePipe() => new(
        _endPoint.PipeName,
        PipeDirection.InOut,
        NamedPipeServerStream.MaxAllowedServerInstances,
        PipeTransmissionMode.Byte,
        PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
}

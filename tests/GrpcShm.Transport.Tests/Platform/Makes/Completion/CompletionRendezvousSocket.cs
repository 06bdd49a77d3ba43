using System.IO.Pipes;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Transport.Tests.Platform.Makes.Completion;

/// <summary>A named pipe of which one instance always waits for a client.</summary>
internal sealed class CompletionRendezvousSocket : RendezvousSocket
{
    private readonly string _name = $"grpcshm-{Guid.NewGuid():N}";
    private readonly SharedMemoryPeer _peer;
    private readonly Action _giveBack;
    private readonly CompletionSource _source = new();
    private readonly Lock _gate = new();
    private readonly Queue<NamedPipeServerStream> _connected = new();
    private NamedPipeServerStream _waiting;
    private bool _disposed;

    /// <param name="peer">The identity of the clients.</param>
    /// <param name="giveBack">Gives the name back.</param>
    public CompletionRendezvousSocket(SharedMemoryPeer peer, Action giveBack)
    {
        (_peer, _giveBack) = (peer, giveBack);
        _waiting = CreateInstance();
        _ = WaitForClientAsync(_waiting);
    }

    public override IPollSource Source => _source;

    public override RendezvousRemark? Remark => null;

    /// <summary>The client's end of a new connection.</summary>
    public ControlSocket Connect()
    {
        var client = new NamedPipeClientStream(".", _name, PipeDirection.InOut, PipeOptions.Asynchronous);
        client.Connect((int)TimeLimit.Value.TotalMilliseconds);
        return new CompletionControlSocket(client, _peer);
    }

    public override ControlSocket? Accept()
    {
        lock (_gate)
        {
            return _connected.TryDequeue(out var instance) ? new CompletionControlSocket(instance, _peer) : null;
        }
    }

    public override SharedMemoryPeer? Refuse(ReadOnlySpan<byte> message)
    {
        using var client = Accept();
        client?.Send(message, []);
        return client?.Peer;
    }

    public override void Dispose()
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _waiting.Dispose();
            while (_connected.TryDequeue(out var instance))
            {
                instance.Dispose();
            }
        }

        _giveBack();
    }

    private NamedPipeServerStream CreateInstance() => new(
        _name,
        PipeDirection.InOut,
        NamedPipeServerStream.MaxAllowedServerInstances,
        PipeTransmissionMode.Byte,
        PipeOptions.Asynchronous);

    private async Task WaitForClientAsync(NamedPipeServerStream instance)
    {
        while (true)
        {
            try
            {
                await instance.WaitForConnectionAsync();
            }
            catch (Exception exception)
                when (exception is IOException or OperationCanceledException or ObjectDisposedException)
            {
                // The name was given back.
                return;
            }

            lock (_gate)
            {
                if (_disposed)
                {
                    instance.Dispose();
                    return;
                }

                _connected.Enqueue(instance);
                _waiting = instance = CreateInstance();
            }

            _source.Report();
        }
    }
}

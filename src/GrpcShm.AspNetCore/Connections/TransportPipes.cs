using System.Buffers;
using System.IO.Pipelines;
using GrpcShm.Transport.Connections;
using GrpcShm.Transport.Handshake;

namespace GrpcShm.AspNetCore.Connections;

/// <summary>
/// The two pipes of a connection. The output writes into the ring itself. The input shows private copies, since any
/// code may read it, and the peer could change bytes in the ring after they were checked. Only Kestrel's HTTP/2, which
/// copies before it parses, reads the ring itself.
/// </summary>
internal sealed class TransportPipes : IDuplexPipe
{
    private readonly SharedMemoryConnection _connection;
    private readonly SharedMemoryTransportOptions _options;
    private readonly MemoryPool<byte> _memoryPool;
    private readonly RingPipeWriter? _output;
    private PipeReader? _input;

    public TransportPipes(
        SharedMemoryConnection connection, SharedMemoryTransportOptions options, MemoryPool<byte> memoryPool)
    {
        _connection = connection;
        _options = options;
        _memoryPool = memoryPool;

        // Calls write into the ring by themselves.
        _output = connection.Mode == ConnectionModes.Bytes ? new RingPipeWriter(connection) : null;
    }

    public PipeReader Input => _input ??= CreateCopyingReader();

    public PipeWriter Output =>
        _output ?? throw new InvalidOperationException("In direct mode there is no stream of bytes to write to.");

    /// <summary>True if somebody has got the input already.</summary>
    public bool IsInputUsed => _input is not null;

    public void ReadRingDirectly()
    {
        if (_input is null)
        {
            _connection.RunInline = _options.RunProtocolInline;
            _input = new RingPipeReader(_connection, _options.MaxUnconsumedBytes);
        }
    }

    /// <summary>Completes the pipes that the users of the connection have not completed.</summary>
    public void Abandon()
    {
        _output?.Abandon();
        if (_input is RingPipeReader ring)
        {
            ring.Abandon();
        }
        else
        {
            _input?.Complete();
        }
    }

    private PipeReader CreateCopyingReader() =>
        PipeReader.Create(
            new RingStream(_connection, FileAccess.Read),
            new StreamPipeReaderOptions(_memoryPool, bufferSize: 16 * 1024, useZeroByteReads: true));
}

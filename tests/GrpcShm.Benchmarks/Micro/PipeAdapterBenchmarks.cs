using System.IO.Pipelines;
using BenchmarkDotNet.Attributes;
using GrpcShm.Transport.Connections;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>
/// A message through a connection of this process with itself, by the adapters that Kestrel and
/// <c>SocketsHttpHandler</c> use; and through an ordinary <see cref="Pipe"/>. The data is always written before it is
/// read, so nothing waits.
/// </summary>
[MemoryDiagnoser]
public class PipeAdapterBenchmarks
{
    private const long MaxUnconsumed = 1024 * 1024;

    private readonly Pipe _pipe = new(new PipeOptions(
        readerScheduler: PipeScheduler.Inline,
        writerScheduler: PipeScheduler.Inline,
        useSynchronizationContext: false));

    private ConnectionPair _connections = null!;
    private ConnectionPair _streamConnections = null!;
    private RingPipeWriter _writer = null!;
    private RingPipeReader _reader = null!;
    private RingStream _sending = null!;
    private RingStream _receiving = null!;
    private byte[] _message = [];
    private byte[] _received = [];

    /// <summary>Bytes of a message.</summary>
    [Params(64, 4096, 65_536)]
    public int Size { get; set; }

    /// <summary>Connects.</summary>
    [GlobalSetup]
    public void Setup()
    {
        (_message, _received) = (new byte[Size], new byte[Size]);
        _connections = ConnectionPair.Create();
        _writer = new RingPipeWriter(_connections.Client);
        _reader = new RingPipeReader(_connections.Server, MaxUnconsumed);
        _streamConnections = ConnectionPair.Create();
        _sending = _streamConnections.OpenClientStream();
        _receiving = _streamConnections.OpenServerStream();
    }

    /// <summary>Disconnects.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _connections.Dispose();
        _writer.Complete();
        _reader.Complete();
        _sending.Dispose();
        _receiving.Dispose();
        _streamConnections.Dispose();
    }

    /// <summary>An ordinary pipe, which stays within the process.</summary>
    [Benchmark(Baseline = true)]
    public ValueTask<long> OrdinaryPipe() => TransferAsync(_pipe.Writer, _pipe.Reader);

    /// <summary>The ring's writer and reader.</summary>
    [Benchmark]
    public ValueTask<long> RingPipe() => TransferAsync(_writer, _reader);

    /// <summary>The ring's stream.</summary>
    [Benchmark]
    public async ValueTask<long> RingStream()
    {
        await _sending.WriteAsync(_message);
        await _receiving.ReadExactlyAsync(_received);
        return _received.Length;
    }

    private async ValueTask<long> TransferAsync(PipeWriter writer, PipeReader reader)
    {
        _message.CopyTo(writer.GetSpan(Size));
        writer.Advance(Size);
        var flush = writer.FlushAsync();
        long received = 0;
        while (received < Size)
        {
            var result = await reader.ReadAsync();
            foreach (var piece in result.Buffer)
            {
                piece.Span.CopyTo(_received.AsSpan((int)received));
                received += piece.Length;
            }

            reader.AdvanceTo(result.Buffer.End);
        }

        // With this size an ordinary pipe makes its writer wait until the reader has read.
        await flush;
        return received;
    }
}

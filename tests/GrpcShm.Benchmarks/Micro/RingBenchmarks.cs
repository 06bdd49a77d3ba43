using BenchmarkDotNet.Attributes;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>
/// A message through the ring, with both ends on one thread: the cost of the ring itself, without the transfer between
/// two caches.
/// </summary>
[MemoryDiagnoser]
public unsafe class RingBenchmarks
{
    private PrivateRing _ring = null!;
    private byte[] _message = [];
    private byte[] _received = [];
    private RingProducer _producer = null!;
    private RingConsumer _consumer = null!;

    /// <summary>Bytes of a message.</summary>
    [Params(64, 4096, 65_536)]
    public int Size { get; set; }

    /// <summary>Makes a ring in private memory.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _ring = PrivateRing.Create();
        _producer = new RingProducer(_ring.Control, _ring.Data, PrivateRing.Capacity);
        _consumer = new RingConsumer(_ring.Control, _ring.Data, PrivateRing.Capacity);
        (_message, _received) = (new byte[Size], new byte[Size]);
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Cleanup() => _ring.Dispose();

    /// <summary>Copies in, publishes, checks, copies out.</summary>
    [Benchmark]
    public int WriteAndRead()
    {
        _producer.Write(_message);
        _producer.Publish();
        _consumer.Refresh();
        _consumer.Read(_received, out var count);
        return count;
    }

    /// <summary>Two copies and nothing else.</summary>
    [Benchmark(Baseline = true)]
    public void CopyTwice()
    {
        var between = new Span<byte>(_ring.Data, Size);
        _message.CopyTo(between);
        between.CopyTo(_received);
    }
}

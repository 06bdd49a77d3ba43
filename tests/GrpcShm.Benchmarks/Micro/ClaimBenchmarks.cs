using BenchmarkDotNet.Attributes;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>
/// One or two threads claim, write and commit pieces of a ring. A thread that finds no room takes the published pieces
/// out itself, since many machines have no processor for a third thread.
/// </summary>
[MemoryDiagnoser]
public unsafe class ClaimBenchmarks
{
    // There are so many pieces that the time to start the second thread does not matter.
    private const int Pieces = 100_000;

    private readonly Lock _consuming = new();
    private PrivateRing _ring = null!;
    private byte[] _message = [];
    private byte[] _received = [];
    private ClaimingProducer _producer = null!;
    private RingConsumer _consumer = null!;

    /// <summary>How many threads.</summary>
    [Params(1, 2)]
    public int Producers { get; set; }

    /// <summary>Bytes of a piece.</summary>
    [Params(64, 4096, 32_768)]
    public int Size { get; set; }

    /// <summary>Makes a ring in private memory.</summary>
    [GlobalSetup]
    public void Setup()
    {
        _ring = PrivateRing.Create();
        _producer = new ClaimingProducer(_ring.Control, _ring.Data, PrivateRing.Capacity);
        _consumer = new RingConsumer(_ring.Control, _ring.Data, PrivateRing.Capacity);
        (_message, _received) = (new byte[Size], new byte[PrivateRing.Capacity]);
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Cleanup() => _ring.Dispose();

    /// <summary>Claims, copies in and commits; on average it also takes a piece out.</summary>
    [Benchmark(OperationsPerInvoke = Pieces)]
    public void ClaimAndCommit()
    {
        if (Producers == 1)
        {
            Produce(Pieces);
            return;
        }

        var second = new Thread(() => Produce(Pieces / 2));
        second.Start();
        Produce(Pieces / 2);
        second.Join();
    }

    private void Produce(int pieces)
    {
        for (var i = 0; i < pieces; i++)
        {
            RingClaim claim;
            while (!_producer.TryClaim(Size, out claim))
            {
                Consume();
            }

            _message.CopyTo(_producer.SpanOf(claim));
            _producer.Commit(claim);
        }
    }

    private void Consume()
    {
        if (!_consuming.TryEnter())
        {
            // The other thread takes the pieces out.
            Thread.SpinWait(1);
            return;
        }

        try
        {
            _consumer.Refresh();
            _consumer.Read(_received, out _);
        }
        finally
        {
            _consuming.Exit();
        }
    }
}

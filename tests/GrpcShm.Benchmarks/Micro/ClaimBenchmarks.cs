using BenchmarkDotNet.Attributes;
using GrpcShm.Transport.Memory;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>
/// Pieces of a ring that one or two threads claim, write and commit. Whoever finds no room takes out what has been
/// published: a third thread to do that would be one more than many a machine has processors.
/// </summary>
[MemoryDiagnoser]
public unsafe class ClaimBenchmarks
{
    // So many that it does not count what it takes to start the second thread.
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

    /// <summary>Claims, copies in, commits; and what comes on average of taking it out.</summary>
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
            // The other one does.
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

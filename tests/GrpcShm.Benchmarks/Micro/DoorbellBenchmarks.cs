using BenchmarkDotNet.Attributes;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>The doorbell: one system call rings it, another one notices the ring.</summary>
[MemoryDiagnoser]
public class DoorbellBenchmarks
{
    private readonly PollEvent[] _events = new PollEvent[4];
    private Doorbell _watched = null!;
    private Doorbell _unwatched = null!;
    private Poller _poller = null!;

    /// <summary>Makes two doorbells and watches one.</summary>
    [GlobalSetup]
    public void Setup()
    {
        (_watched, _unwatched) =
            (TransportPlatform.Current.CreateDoorbell(), TransportPlatform.Current.CreateDoorbell());
        _poller = TransportPlatform.Current.CreatePoller();
        _poller.Add(_watched.Source, 1);
    }

    /// <summary>Disposes of them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _poller.Remove(_watched.Source);
        _poller.Dispose();
        _watched.Dispose();
        _unwatched.Dispose();
    }

    /// <summary>Rings a doorbell that nobody watches.</summary>
    [Benchmark]
    public void Ring() => _unwatched.Ring();

    /// <summary>Rings, and notices the ring on the same thread.</summary>
    [Benchmark]
    public int RingAndHear()
    {
        _watched.Ring();
        return _poller.Wait(_events, block: false);
    }

    /// <summary>Checks a doorbell that has not been rung.</summary>
    [Benchmark]
    public int Listen() => _poller.Wait(_events, block: false);
}

using BenchmarkDotNet.Attributes;
using GrpcShm.Transport.Platform;

namespace GrpcShm.Benchmarks.Micro;

/// <summary>The doorbell: a system call to ring it, another to hear it.</summary>
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

    /// <summary>Gives all back.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _poller.Remove(_watched.Source);
        _poller.Dispose();
        _watched.Dispose();
        _unwatched.Dispose();
    }

    /// <summary>Rings where nobody listens.</summary>
    [Benchmark]
    public void Ring() => _unwatched.Ring();

    /// <summary>Rings, and takes note of it on the same thread.</summary>
    [Benchmark]
    public int RingAndHear()
    {
        _watched.Ring();
        return _poller.Wait(_events, block: false);
    }

    /// <summary>Looks whether it has been rung, and it has not.</summary>
    [Benchmark]
    public int Listen() => _poller.Wait(_events, block: false);
}

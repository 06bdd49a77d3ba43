using System.Threading.Channels;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

/// <summary>A target that tells when it is called.</summary>
internal sealed class FakeTarget : IReactorTarget
{
    private readonly Channel<bool> _ready = Channel.CreateUnbounded<bool>();
    private readonly Channel<bool> _faults = Channel.CreateUnbounded<bool>();

    public Exception? Failure { get; set; }

    public Thread? Thread { get; private set; }

    public void OnReady(Reactor reactor)
    {
        Thread = Thread.CurrentThread;
        _ready.Writer.TryWrite(true);
        if (Failure is not null)
        {
            throw Failure;
        }
    }

    public void OnFault(Exception exception) => _faults.Writer.TryWrite(true);

    public Task WaitForReadyAsync() => _ready.Reader.ReadAsync(TestContext.Current.CancellationToken).InTime();

    public Task WaitForFaultAsync() => _faults.Reader.ReadAsync(TestContext.Current.CancellationToken).InTime();
}

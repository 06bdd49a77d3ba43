using GrpcShm.Transport.Diagnostics;

namespace GrpcShm.Transport.Tests.Diagnostics;

public sealed class LockOrderTests
{
    [Fact]
    public void ThrowIfHeld_ByThisThread_ThrowsInDebugBuilds()
    {
        var gate = new Lock();
        Exception? thrown;
        lock (gate)
        {
            thrown = Record.Exception(() => LockOrder.ThrowIfHeld(gate));
        }

#if DEBUG
        Assert.Contains("'gate'", Assert.IsType<InvalidOperationException>(thrown).Message, StringComparison.Ordinal);
#else
        Assert.Null(thrown);
#endif
    }

    [Fact]
    public void ThrowIfHeld_ByNobodyOrAnotherThread_DoesNotThrow()
    {
        var gate = new Lock();
        LockOrder.ThrowIfHeld(gate);
        lock (gate)
        {
            Exception? thrown = null;
            var other = new Thread(() => thrown = Record.Exception(() => LockOrder.ThrowIfHeld(gate)));
            other.Start();
            Assert.True(other.Join(TimeLimit.Value), "The other thread does not end.");
            Assert.Null(thrown);
        }
    }
}

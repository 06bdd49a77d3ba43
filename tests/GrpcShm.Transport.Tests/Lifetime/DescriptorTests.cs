namespace GrpcShm.Transport.Tests.Lifetime;

[Collection(AloneCollection.Name)]
public sealed class DescriptorTests
{
    private const int CloseOnExec = 0x80000;

    [Fact]
    public async Task Connect_AllItsDescriptors_DoNotReachAChildProcess()
    {
        await using var endPoint = new TestEndPoint();
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        using (client)
        using (server)
        {
            int[] descriptors =
            [
                .. Descriptors.Of(target => target == "anon_inode:[eventfd]"),
                .. Descriptors.Of(target => target == "anon_inode:[eventpoll]"),
                .. Descriptors.Of(target => target == endPoint.LockPath),
                .. Descriptors.Of(target => target.StartsWith("socket:", StringComparison.Ordinal)),
            ];

            // Two doorbells on each side and the reserve; the reactor's poller; the lock; the listener, and a socket a side.
            Assert.InRange(descriptors.Length, 5 + 1 + 1 + 3, int.MaxValue);
            Assert.All(descriptors, d => Assert.Equal(CloseOnExec, Descriptors.Flags(d) & CloseOnExec));
            Assert.Empty(Descriptors.Of(target => target.Contains("memfd:grpcshm", StringComparison.Ordinal)));
        }
    }
}

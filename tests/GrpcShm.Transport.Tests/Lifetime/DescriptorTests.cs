namespace GrpcShm.Transport.Tests.Lifetime;

[Collection(AloneCollection.Name)]
public sealed class DescriptorTests
{
    private const int CloseOnExec = 0x80000;

    [Fact]
    public async Task Connect_AllItsDescriptors_DoNotReachAChildProcess()
    {
        // The tests' makes keep handles that were on their way to a peer that has gone.
        var others = Descriptors.Of(IsMemory).ToHashSet();
        await using var endPoint = new TestEndPoint();
        endPoint.Listen();
        var (client, server) = await endPoint.ConnectPairAsync();
        using (client)
        using (server)
        {
            await endPoint.SpareIsReadyAsync();
            int[] memory = [.. Descriptors.Of(IsMemory).Except(others)];
            int[] descriptors =
            [
                .. Descriptors.Of(target => target == "anon_inode:[eventfd]"),
                .. Descriptors.Of(target => target == "anon_inode:[eventpoll]"),
                .. Descriptors.Of(target => target == endPoint.LockPath),
                .. Descriptors.Of(target => target.StartsWith("socket:", StringComparison.Ordinal)),
                .. memory,
            ];

            // Two doorbells on each side, two for the next client and the reserve; the reactor's poller; the lock; the
            // listener, and a socket a side; the memory that nobody has been given yet.
            Assert.InRange(descriptors.Length, 7 + 1 + 1 + 3 + 1, int.MaxValue);
            Assert.All(descriptors, d => Assert.Equal(CloseOnExec, Descriptors.Flags(d) & CloseOnExec));

            // The descriptor of a connection's own memory is closed once it is mapped.
            Assert.Single(memory);
        }
    }

    private static bool IsMemory(string target) => target.Contains("memfd:grpcshm", StringComparison.Ordinal);
}

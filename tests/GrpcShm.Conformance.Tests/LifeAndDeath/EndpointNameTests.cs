using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.LifeAndDeath;

/// <summary>
/// The owner of a shared-memory endpoint's name, and the files that it leaves. Sockets have no such rules.
/// </summary>
public sealed class EndpointNameTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly SharedMemoryHttp2Mode _mode = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_BeforeItsServerStarted_WaitsForIt()
    {
        var address = _mode.CreateAddress(_directory, "server");
        using var channel = _mode.CreateChannel(address, _directory, new()
        {
            ConfigureSharedMemory = options => options.WaitForServer = TimeLimit.Value,
        });
        using var call = new TestService.TestServiceClient(channel).NothingAsync(new Empty(), Call());
        Assert.False(call.ResponseAsync.IsCompleted);

        await using var server = await StartServerAsync();

        await call.InTime();
    }

    [Fact]
    public async Task Call_WithoutServer_IsUnavailable()
    {
        using var channel = _mode.CreateChannel(_mode.CreateAddress(_directory, "nobody"), _directory);

        var failure = await new TestService.TestServiceClient(channel).NothingAsync(new Empty(), Call()).FailsInTime();

        Assert.Equal(StatusCode.Unavailable, failure.StatusCode);
    }

    [Fact]
    public async Task Listen_OnANameInUse_FailsNamingItAndLeavesItsOwnerAlone()
    {
        await using var owner = await StartServerAsync();

        await using var second = HostProcess.Start(
            ["serve", "--listen", owner.Address.ToString(), "--runtime-directory", _directory.Path]);
        var message = await second.ReadAsync();

        Assert.Equal(HostMessage.Failed, message.Kind);
        var error = Assert.Single(message.Errors, e => e.StartsWith("AddressInUseException", StringComparison.Ordinal));
        Assert.Contains("'shm:server'", error, StringComparison.Ordinal);
        Assert.Equal(1, await second.WaitForExitAsync());
        using var channel = owner.CreateChannel();
        await new TestService.TestServiceClient(channel).NothingAsync(new Empty(), Call()).InTime();
    }

    [Fact]
    public async Task Listen_WaitsForANameThatIsNotGivenBack_FailsWhenItsTimeIsOver()
    {
        await using var owner = await StartServerAsync();

        await using var second = HostProcess.Start(
            [
                "serve",
                "--listen", owner.Address.ToString(),
                "--runtime-directory", _directory.Path,
                "--wait-for-name", "00:00:00.3",
            ]);
        var message = await second.ReadAsync();

        Assert.Equal(HostMessage.Failed, message.Kind);
        Assert.Contains(message.Errors, e => e.StartsWith("AddressInUseException", StringComparison.Ordinal));
        Assert.Equal(1, await second.WaitForExitAsync());
    }

    [Fact]
    public async Task Listen_OnADeadServersName_TakesItOver()
    {
        string[] leftovers;
        await using (var first = await StartServerAsync())
        {
            await first.Process.KillAsync();
            leftovers = [.. NamesOfEndpoint()];
        }

        await using var second = await StartServerAsync();

        // The dead server leaves its socket and its lock at most, and the next server adds no other files.
        Assert.InRange(leftovers.Length, 0, 2);
        Assert.InRange(NamesOfEndpoint().Count(), 1, 2);
        using var channel = second.CreateChannel();
        await new TestService.TestServiceClient(channel).NothingAsync(new Empty(), Call()).InTime();
    }

    [Fact]
    public async Task Listen_OnAnotherNameThanADeadServers_RemovesTheFilesOfThatName()
    {
        await using (var first = await StartServerAsync())
        {
            await first.Process.KillAsync();
        }

        Assert.NotEmpty(NamesOfEndpoint());
        await using var second = await ServerHandle.StartAsync(_mode, _directory, "other");

        Assert.All(NamesOfEndpoint(), static name => Assert.StartsWith("other.", name, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Stop_OfAServer_LeavesItsLockAtMost()
    {
        await using var server = await StartServerAsync();
        using (var channel = server.CreateChannel())
        {
            await new TestService.TestServiceClient(channel).NothingAsync(new Empty(), Call()).InTime();
        }

        await server.Process.StopAsync();

        Assert.InRange(NamesOfEndpoint().Count(), 0, 1);
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private static CallOptions Call() => new(cancellationToken: TestToken);

    private Task<ServerHandle> StartServerAsync() => ServerHandle.StartAsync(_mode, _directory, "server");

    private IEnumerable<string> NamesOfEndpoint() =>
        _directory.Files.Where(name => !name.EndsWith(".control", StringComparison.Ordinal));
}

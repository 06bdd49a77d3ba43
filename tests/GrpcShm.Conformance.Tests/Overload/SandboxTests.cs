using System.Globalization;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost;

namespace GrpcShm.Conformance.Tests.Overload;

/// <summary>
/// A process in a sandbox that forbids a system call, with a real filter of the kernel (seccomp). A server reports this
/// when it starts. If it shows only later, the server tells each client. A client tells its callers and the server.
/// </summary>
public sealed class SandboxTests : IDisposable
{
    private const int NotPermitted = 1;
    private const int NotImplemented = 38;
    private const int NotSupported = 95;

    private readonly TempDirectory _directory = new();
    private readonly SharedMemoryDirectMode _mode = new();

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    [Theory]
    [InlineData("memfd_create", NotPermitted)]
    [InlineData("memfd_create", NotImplemented)]
    [InlineData("ftruncate", NotPermitted)]
    [InlineData("fallocate", NotPermitted)]
    [InlineData("fcntl(F_ADD_SEALS)", NotPermitted)]
    [InlineData("eventfd2", NotPermitted)]
    [InlineData("epoll_create1", NotPermitted)]
    [InlineData("socket", NotPermitted)]
    public async Task Server_MayNotMakeWhatAClientNeeds_SaysSoWhenItStarts(string call, int error)
    {
        await using var server = await StartOnDemandAsync();
        await ForbidAsync(server, call, error);
        await server.WriteAsync("listen");

        var message = await server.ReadAsync();
        Assert.Equal(HostMessage.Failed, message.Kind);
        Assert.Contains(message.Errors, text => Names(text, call, error));
        Assert.Contains(message.Errors, text => text.Contains("A sandbox may forbid it", StringComparison.Ordinal));
        Assert.Equal(1, await server.WaitForExitAsync());
    }

    [Theory]
    [InlineData(NotImplemented)]
    [InlineData(NotSupported)]
    public async Task Server_SystemCannotAllocate_WritesZerosInstead(int error)
    {
        await using var server = await StartOnDemandAsync();
        await ForbidAsync(server, "fallocate", error);
        await server.WriteAsync("listen");
        await server.ReadAsync(HostMessage.Listens);

        await using var client = await StartClientAsync(_mode.CreateAddress(_directory, "server").ToString());
        await client.WriteAsync("new");
        await client.ReadAsync(HostMessage.Done);
    }

    [Theory]
    [InlineData("memfd_create")]
    [InlineData("eventfd2")]
    public async Task Server_MayNotAnyMore_RefusesEachClientWithTheReasonAndAWarning(string call)
    {
        await using var server = await ServerHandle.StartAsync(_mode, _directory, "server", "--faults");
        await using var client = await StartClientAsync(server.Address.ToString());
        await client.WriteAsync("kept");
        await client.ReadAsync(HostMessage.Done);
        await ForbidAsync(server.Process, call, NotPermitted);

        // The first client may get memory that was made before.
        await client.WriteAsync("new");
        await client.ReadAsync();
        await FailsAsync(client, "The server refused the connection", call, NotPermitted);
        await FailsAsync(client, "The server refused the connection", call, NotPermitted);

        await TimeLimit.UntilAsync(() => Task.FromResult(
            server.Process.Log.Split('\n').Any(line => line.Contains("warn:", StringComparison.Ordinal)
                && line.Contains("was refused (Resources)", StringComparison.Ordinal)
                && Names(line, call, NotPermitted))));
        await client.WriteAsync("kept");
        await client.ReadAsync(HostMessage.Done);
    }

    [Theory]
    [InlineData("socket", false)]
    [InlineData("epoll_create1", false)]
    [InlineData("fcntl(F_GET_SEALS)", true)]
    [InlineData("readlink", true)]
    public async Task Client_MayNotUseWhatAServerGives_CallsAreUnavailableWithTheReason(
        string call, bool isToldToServer)
    {
        await using var server = await ServerHandle.StartAsync(_mode, _directory, "server");
        await using var client = await StartClientAsync(server.Address.ToString());
        if (isToldToServer)
        {
            // The run-time also uses such calls to find its own files. So it must have loaded them before, also the
            // files that a failure needs.
            await client.WriteAsync("new");
            await client.ReadAsync(HostMessage.Done);
            await client.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"fail map {NotPermitted}"));
            await client.ReadAsync(HostMessage.Done);
            await FailsAsync(client, "A sandbox may forbid it", "map", NotPermitted);
            await client.WriteAsync("fail none");
            await client.ReadAsync(HostMessage.Done);
        }

        await ForbidAsync(client, call, NotPermitted);

        await FailsAsync(client, "A sandbox may forbid it", call, NotPermitted);

        if (isToldToServer)
        {
            await TimeLimit.UntilAsync(() => Task.FromResult(
                server.Process.Log.Split('\n').Any(line => line.Contains("The client refused", StringComparison.Ordinal)
                    && Names(line, call, NotPermitted))));
        }
    }

    private static bool Names(string text, string call, int error) =>
        text.Contains($": {call}: ", StringComparison.Ordinal)
        && text.Contains(string.Create(CultureInfo.InvariantCulture, $"(errno {error})"), StringComparison.Ordinal);

    private static async Task ForbidAsync(HostProcess process, string call, int error)
    {
        await process.WriteAsync(string.Create(CultureInfo.InvariantCulture, $"forbid {call} {error}"));
        await process.ReadAsync(HostMessage.Done);
    }

    private static async Task FailsAsync(HostProcess client, string part, string call, int error)
    {
        await client.WriteAsync("new");
        var message = await client.ReadAsync(HostMessage.Failed);
        Assert.Equal(nameof(StatusCode.Unavailable), message.Errors[0]);
        Assert.Contains(part, message.Errors[1], StringComparison.Ordinal);
        Assert.True(Names(message.Errors[1], call, error), message.Errors[1]);
    }

    private async Task<HostProcess> StartOnDemandAsync() => await HostProcess.StartAsync(
    [
        "serve",
        "--listen", _mode.CreateAddress(_directory, "server").ToString(),
        "--faults",
        "--on-demand",
        .. _mode.GetServerArguments(_directory),
    ]);

    private Task<HostProcess> StartClientAsync(string address) => HostProcess.StartAsync(
    [
        "call",
        "--address", address,
        "--scenario", "attempt",
        .. _mode.GetClientArguments(_directory),
    ]);
}

using System.Diagnostics;
using System.Globalization;
using System.Net;
using Google.Protobuf.WellKnownTypes;
using Grpc.Core;
using GrpcShm.Conformance.Tests.Harness;
using GrpcShm.Conformance.Tests.Modes;
using GrpcShm.TestHost.Calling;
using GrpcShm.TestHost.Contracts;

namespace GrpcShm.Conformance.Tests.SideBySide;

/// <summary>Shared memory beside the endpoints that a server already has.</summary>
public sealed class SideBySideTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly SharedMemoryHttp2Mode _mode = new();

    private static CancellationToken TestToken => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Listen_OnSharedMemoryUnixSocketAndTcp_TheSameServiceAnswersOnAll()
    {
        var socket = new UnixSocketMode().CreateAddress(_directory, "server");
        await using var server = await ServeAsync(
            ["--listen", "shm:server", "--listen", socket.ToString(), "--listen", "tcp:0"]);

        var answers = await Task.WhenAll(server.Ready.Listening.Select(DescribeAsync)).InTime();

        Assert.Equal(3, answers.Length);
        Assert.All(answers, answer => Assert.Equal(server.Id, answer.ProcessId));
        Assert.Equal(3, answers.Select(answer => answer.ConnectionId).Distinct().Count());
    }

    [Fact]
    public async Task Listen_OnTwoNamesInOneProcess_BothAnswer()
    {
        await using var server = await ServeAsync(["--listen", "shm:orders", "--listen", "shm:prices"]);

        var answers = await Task.WhenAll(DescribeAsync("shm:orders"), DescribeAsync("shm:prices")).InTime();

        Assert.All(answers, answer => Assert.Equal(server.Id, answer.ProcessId));
        Assert.Equal(2, answers.Select(answer => answer.LocalEndPoint).Distinct().Count());
    }

    [Fact]
    public async Task Listen_BesideUrls_BothAnswer()
    {
        await using var server = await ServeAsync(["--listen", "shm:server", "--urls", "http://127.0.0.1:0"]);

        await AssertAnswersByHttpAsync(server);
        Assert.Equal(server.Id, (await DescribeAsync("shm:server")).ProcessId);
    }

    [Fact]
    public async Task Listen_BesideHttpPorts_BothAnswer()
    {
        await using var server = await ServeAsync(
            ["--listen", "shm:server"], new Dictionary<string, string> { ["ASPNETCORE_HTTP_PORTS"] = "0" });

        await AssertAnswersByHttpAsync(server);
        Assert.Equal(server.Id, (await DescribeAsync("shm:server")).ProcessId);
    }

    [Fact]
    public async Task Listen_BesideConfiguredEndpoints_BothAnswer()
    {
        await using var server = await ServeAsync(
            ["--listen", "shm:server"],
            new Dictionary<string, string>
            {
                ["Kestrel__Endpoints__Extra__Url"] = "http://127.0.0.1:0",
                ["Kestrel__Endpoints__Extra__Protocols"] = "Http2",
            });

        var port = GetTcpPort(server);
        var answers = await Task.WhenAll(
            DescribeAsync($"tcp:{port.ToString(CultureInfo.InvariantCulture)}"), DescribeAsync("shm:server")).InTime();
        Assert.All(answers, answer => Assert.Equal(server.Id, answer.ProcessId));
    }

    [Theory]
    [InlineData(EndpointKind.SharedMemory)]
    [InlineData(EndpointKind.UnixSocket)]
    public async Task Connect_FortyClientsAtTheSameMoment_AllAreServed(EndpointKind kind)
    {
        const int Clients = 40;
        TransportMode mode = kind == EndpointKind.SharedMemory ? _mode : new UnixSocketMode();
        await using var server = await ServerHandle.StartAsync(mode, _directory, "crowded");
        var channels = Enumerable.Range(0, Clients).Select(_ => server.CreateChannel()).ToList();
        var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var meeting = new MeetRequest { Group = "crowd", Count = Clients };

        // No call is answered before all are connected.
        var clock = Stopwatch.StartNew();
        var meetings = channels.Select(async channel =>
        {
            await start.Task;
            return await new TestService.TestServiceClient(channel).MeetAsync(meeting, Call());
        }).ToList();
        start.SetResult();
        var answers = await Task.WhenAll(meetings).InTime();

        TestContext.Current.TestOutputHelper?.WriteLine($"{mode.Name}: {clock.Elapsed.TotalMilliseconds:F1} ms.");
        Assert.Equal(Clients, answers.Select(answer => answer.ConnectionId).Distinct().Count());
        channels.ForEach(channel => channel.Dispose());
    }

    /// <inheritdoc/>
    public void Dispose() => _directory.Dispose();

    private static CallOptions Call() => new(cancellationToken: TestToken);

    private static int GetTcpPort(HostProcess server)
    {
        var ports = server.Ready.Addresses
            .Select(address => address.Split(':')[^1])
            .Where(port => port.All(char.IsAsciiDigit));
        return int.Parse(Assert.Single(ports), CultureInfo.InvariantCulture);
    }

    private static async Task AssertAnswersByHttpAsync(HostProcess server)
    {
        using var client = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        var page = new UriBuilder("http", "localhost", GetTcpPort(server), "hello") { Query = "name=World" }.Uri;

        using var response = await client.GetAsync(page, TestToken).InTime();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    private Task<HostProcess> ServeAsync(string[] arguments, Dictionary<string, string>? environment = null) =>
        HostProcess.StartAsync(["serve", .. arguments, .. _mode.GetServerArguments(_directory)], environment);

    private async Task<DescribeResponse> DescribeAsync(string address)
    {
        using var channel = _mode.CreateChannel(EndpointAddress.Parse(address), _directory);
        return await new TestService.TestServiceClient(channel).DescribeAsync(new Empty(), Call()).InTime();
    }
}

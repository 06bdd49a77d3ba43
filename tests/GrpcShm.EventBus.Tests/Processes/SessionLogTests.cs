using Grpc.Core;
using GrpcShm.EventBus.Service;
using GrpcShm.EventBus.TestProcess;
using GrpcShm.EventBus.Tests.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using XStateNet.Events.V1;
using Contract = XStateNet.Events.V1.EventBus;

namespace GrpcShm.EventBus.Tests.Processes;

/// <summary>
/// The hub's log at the usual level: who has died, in one line, and no stack traces for what is no fault.
/// </summary>
public sealed class SessionLogTests : IDisposable
{
    private readonly TempDirectory _directory = new();
    private readonly RecordingLoggerProvider _logs = new();

    public void Dispose()
    {
        _logs.Dispose();
        _directory.Dispose();
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Kill_AClient_IsOneLineWithItsProcessAndMachinesAndNoStackTrace(string transport)
    {
        await using var hub = await StartHubAsync(transport);
        await using var machine = await ChildProcess.StartAsync("machine", hub.Socket, "door", "instance");

        await machine.KillAsync();

        await TimeLimit.UntilAsync(() => Lines("SessionLost").Length > 0);
        await hub.StopAsync().InTime();
        var line = Assert.Single(Lines("SessionLost"));
        Assert.StartsWith(
            $"Information SessionLost: The session of 'machine role' (process {machine.Id}) ended: The session's "
            + "connection ended (",
            line,
            StringComparison.Ordinal);
        Assert.Contains("Machines that have gone with it: 'door'.", line, StringComparison.Ordinal);
        if (transport == "shm")
        {
            Assert.Contains(
                $"(The peer process {machine.Id} ended without closing the connection).",
                line,
                StringComparison.Ordinal);
        }

        AssertNoErrors();
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Stop_TheHub_WritesNoStackTraceAndNoLineForEachSession(string transport)
    {
        await using var hub = await StartHubAsync(transport);
        using var channel = HubChannel.To(hub.Socket);
        await using var clientEnd = new EventClient(
            channel, new EventBusClientOptions { ConnectTimeout = TimeLimit.Value }).InTime(out var client);
        await client.ConnectAsync().InTime();
        await client.RegisterMachineAsync("door", static _ => Task.CompletedTask).InTime();

        await hub.StopAsync().InTime();

        AssertNoErrors();
        Assert.Empty(Lines("SessionLost"));
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Stop_TheHubWhileAClientDoesNotEndItsSide_WritesNoStackTrace(string transport)
    {
        await using var hub = await StartHubAsync(transport);
        hub.Services.GetRequiredService<HubCore>().Options.SessionClosingTime = TimeSpan.FromMilliseconds(10);
        using var channel = HubChannel.To(hub.Socket);
        using var call = new Contract.EventBusClient(channel).Session();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());

        // Its request stream stays open all the while.
        var stopping = hub.StopAsync();
        Assert.True(await call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        Assert.NotNull(call.ResponseStream.Current.Closing);
        await Assert.ThrowsAsync<RpcException>(() => call.ResponseStream.MoveNext(CancellationToken.None).InTime());
        await stopping.InTime();

        AssertNoErrors();
    }

    [Theory]
    [InlineData("shm")]
    [InlineData("uds")]
    public async Task Leave_InOrder_IsALineForWhoeverWantsToSeeEachSession(string transport)
    {
        await using var hub = await StartHubAsync(transport, LogLevel.Debug);
        using var channel = HubChannel.To(hub.Socket);
        var client = new EventClient(
            channel, new EventBusClientOptions { Name = "door's process", ConnectTimeout = TimeLimit.Value });
        await client.ConnectAsync().InTime();
        for (var i = 0; i < 7; i++)
        {
            await client.RegisterMachineAsync($"m{i}", static _ => Task.CompletedTask).InTime();
        }

        await client.DisposeAsync().InTime();

        await TimeLimit.UntilAsync(() => Lines("SessionEnded").Length > 0);
        var line = Assert.Single(Lines("SessionEnded"));
        Assert.StartsWith(
            $"Debug SessionEnded: The session of 'door's process' (process {Environment.ProcessId}) ended: The client "
            + "closed it. Machines that have gone with it: 'm",
            line,
            StringComparison.Ordinal);
        Assert.Contains("' and 2 more.", line, StringComparison.Ordinal);
        Assert.Empty(Lines("SessionLost"));
        AssertNoErrors();
    }

    [Fact]
    public async Task Lose_ManySessions_WritesAFewLinesAndTheNumberOfTheOthers()
    {
        await using var hub = await StartHubAsync("uds", LogLevel.Debug);
        using var channel = HubChannel.To(hub.Socket);
        for (var i = 0; i < 20; i++)
        {
            await using var session = new SessionClient(channel);
            var command = new SessionCommand { Number = 1, Unregister = "nobody" };
            await session.SendRawAsync(new SessionRequest { Commands = { command, command } }).InTime();
            await session.Closing.InTime();
        }

        await TimeLimit.UntilAsync(() => Lines("SessionLost").Length + Lines("SessionEnded").Length == 20);
        await hub.StopAsync().InTime();
        await hub.DisposeAsync();

        // The end of the hub says what the last window has left out. A busy machine may need more than one window.
        var lost = Lines("SessionLost");
        Assert.All(lost, static line => Assert.Contains("numbers must count up", line, StringComparison.Ordinal));
        Assert.InRange(lost.Length, 8, 20);
        var leftOut = Lines("LinesLeftOut").Sum(static line => long.Parse(
            line.Split(": ")[1].Split(' ')[0], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal(20, lost.Length + leftOut);
        Assert.Equal(leftOut, Lines("SessionEnded").Length);
    }

    private void AssertNoErrors()
    {
        Assert.Empty(_logs.Exceptions);
        Assert.DoesNotContain(_logs.Lines, static line => line.Contains("Error", StringComparison.Ordinal));
    }

    private string[] Lines(string name) =>
        [.. _logs.Lines.Where(line => line.Split(' ')[1] == $"{name}:")];

    private Task<HubServer> StartHubAsync(string transport, LogLevel level = LogLevel.Information)
    {
        var address = transport == "shm"
            ? $"shm:log-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]
            : _directory.Socket;
        return HubServer.StartAsync(
            address,

            // On a busy machine the read of a lost connection may fail late.
            options => options.SessionClosingTime = TimeLimit.Value,
            builder =>
            {
                builder.Logging.SetMinimumLevel(LogLevel.Information);
                builder.Logging.AddFilter("GrpcShm", level);
                builder.Logging.AddProvider(_logs);
            });
    }
}

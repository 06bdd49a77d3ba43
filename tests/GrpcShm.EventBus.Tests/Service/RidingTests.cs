using Grpc.Core;
using GrpcShm.EventBus.Service;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

/// <summary>Which responses of a session may wait for others, so that the client is not woken for them alone.</summary>
public sealed class RidingTests : HubTest
{
    private HubCore Hub => Server.Services.GetRequiredService<HubCore>();

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Response_AcceptedSendAlone_IsHintedIfTheTransportSendsIt(bool sendsHintedWrites)
    {
        await using var receiver = await OpenMachineAsync("m");
        var (response, isHinted) = await RespondAsync(sendsHintedWrites, Send("m"));

        Assert.Equal(1ul, response.CompletedThrough);
        Assert.Empty(response.Outcomes);
        Assert.Equal(sendsHintedWrites, isHinted);
    }

    [Fact]
    public async Task Response_AcceptedPublication_IsHinted()
    {
        var (response, isHinted) = await RespondAsync(
            true,
            new SessionCommand
            {
                Publish = new Publication { Event = new Event { Name = "E", Source = "s" }, All = new AllMachines() },
            });

        Assert.Equal((int)StatusCode.OK, Assert.Single(response.Outcomes).StatusCode);
        Assert.True(isHinted);
    }

    [Fact]
    public async Task Response_FailedSend_IsNotHinted()
    {
        var (response, isHinted) = await RespondAsync(true, Send("nobody"));

        Assert.Equal((int)StatusCode.NotFound, Assert.Single(response.Outcomes).StatusCode);
        Assert.False(isHinted);
    }

    [Fact]
    public async Task Response_OtherCommand_IsNotHinted()
    {
        var (response, isHinted) = await RespondAsync(
            true, new SessionCommand { Register = new Registration { MachineId = "m" } });

        Assert.Equal((int)StatusCode.OK, Assert.Single(response.Outcomes).StatusCode);
        Assert.False(isHinted);
    }

    [Fact]
    public async Task Response_Delivery_IsNotHinted()
    {
        var (response, isHinted) = await RespondAsync(
            true,
            new SessionCommand { Subscribe = new Subscription { Number = 1, Inbox = "self" } },
            Send("self"));

        Assert.Single(response.Deliveries);
        Assert.False(isHinted);
    }

    [Fact]
    public async Task Responses_MessagesThatAreThereAlready_AreAnsweredTogether()
    {
        await using var receiver = await OpenMachineAsync("m");
        using var session = new FakeSession(Hub);
        for (var i = 0; i < 3; i++)
        {
            session.Send(Send("m"), Send("m"));
        }

        var running = session.RunAsync();

        Assert.NotNull((await session.Responses.ReadAsync().InTime()).Opened);
        Assert.Equal(6ul, (await session.Responses.ReadAsync().InTime()).CompletedThrough);
        session.Complete();
        await running.InTime();
        Assert.False(session.Responses.TryRead(out _));
    }

    [Fact]
    public async Task Responses_MoreMessagesThanMayWait_AreAnsweredBeforeTheLast()
    {
        const int bound = 256;
        await using var receiver = await OpenMachineAsync("m", new MailboxSettings { Capacity = 1_000 });
        using var session = new FakeSession(Hub);
        for (var i = 0; i < bound + 10; i++)
        {
            session.Send(Send("m"));
        }

        var running = session.RunAsync();

        Assert.NotNull((await session.Responses.ReadAsync().InTime()).Opened);
        Assert.Equal((ulong)bound, (await session.Responses.ReadAsync().InTime()).CompletedThrough);
        Assert.Equal((ulong)bound + 10, (await session.Responses.ReadAsync().InTime()).CompletedThrough);
        session.Complete();
        await running.InTime();
    }

    [Fact]
    public async Task Responses_FailureBeforeMessagesThatAreThereAlready_IsToldAtOnce()
    {
        using var session = new FakeSession(Hub);
        session.Send(Send("nobody"));
        session.Send(Send("nobody"));

        var running = session.RunAsync();

        Assert.NotNull((await session.Responses.ReadAsync().InTime()).Opened);
        Assert.Equal(1ul, Assert.Single((await session.Responses.ReadAsync().InTime()).Outcomes).Number);
        Assert.Equal(2ul, Assert.Single((await session.Responses.ReadAsync().InTime()).Outcomes).Number);
        session.Complete();
        await running.InTime();
    }

    [Fact]
    public async Task Responses_SessionEndsBehindMessages_AreGivenBeforeTheEnd()
    {
        await using var receiver = await OpenMachineAsync("m");
        using var session = new FakeSession(Hub);
        session.Send(Send("m"));
        session.Complete();

        await session.RunAsync().InTime();

        Assert.NotNull((await session.Responses.ReadAsync().InTime()).Opened);
        Assert.Equal(1ul, (await session.Responses.ReadAsync().InTime()).CompletedThrough);
    }

    /// <summary>The last response to some commands of one message, and whether it was hinted.</summary>
    private async Task<(SessionResponse Response, bool IsHinted)> RespondAsync(
        bool sendsHintedWrites, params SessionCommand[] commands)
    {
        FakeSession session = null!;
        var answered = new TaskCompletionSource<(SessionResponse, bool)>(
            TaskCreationOptions.RunContinuationsAsynchronously);
        session = new FakeSession(Hub, sendsHintedWrites)
        {
            OnWrite = response =>
            {
                if (response.CompletedThrough == (ulong)commands.Length)
                {
                    answered.TrySetResult(
                        (response, session.WriteOptions?.Flags.HasFlag(WriteFlags.BufferHint) == true));
                }

                return Task.CompletedTask;
            },
        };
        using var owned = session;
        session.Send(commands);
        var running = session.RunAsync();
        var result = await answered.Task.InTime();
        session.Complete();
        await running.InTime();
        return result;
    }
}

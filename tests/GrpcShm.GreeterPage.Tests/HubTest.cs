using GrpcShm.Client;
using GrpcShm.EventBus;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using XStateNet.Events.V1;

namespace GrpcGreeter.Tests;

public sealed class HubTest
{
    [Fact]
    public async Task Move_RobotIsConnected_IsHandledByTheRobot()
    {
        // The hub, in this process. Each test has a name of its own.
        var name = $"fab-{Guid.NewGuid():N}";
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseSharedMemory();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenSharedMemory(name));
        builder.Services.AddEventBus();
        await using var hub = builder.Build();
        hub.MapEventBus();
        await hub.StartAsync();

        // Two clients, as two processes would have them.
        using var robotChannel = SharedMemoryChannel.ForAddress($"shm:{name}");
        await using var robotBus = new EventClient(robotChannel, new EventBusClientOptions { Name = "robot" });
        using var schedulerChannel = SharedMemoryChannel.ForAddress($"shm:{name}");
        await using var schedulerBus = new EventClient(
            schedulerChannel, new EventBusClientOptions { Name = "scheduler" });
        await robotBus.ConnectAsync();
        await schedulerBus.ConnectAsync();

        var places = new List<string?>();
        using var robot = await robotBus.RegisterMachineAsync("robot", received =>
        {
            places.Add(received.GetPayload<string>());
            received.NewState = "moving";
            return Task.CompletedTask;
        });
        using var scheduler = await schedulerBus.RegisterMachineAsync("scheduler", _ => Task.CompletedTask);

        // With "Processed" the send is complete only after the robot's handler. So nothing has to be waited for.
        var options = new EventSendOptions
        {
            Acknowledgement = AcknowledgementLevel.Processed,
            Timeout = TimeSpan.FromSeconds(30),
        };
        var result = await schedulerBus.SendEventAsync("scheduler", "robot", "MOVE", "etcher", options);

        Assert.Equal("moving", result.NewState);
        Assert.Equal(["etcher"], places);
    }
}

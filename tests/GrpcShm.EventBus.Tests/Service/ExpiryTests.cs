using Grpc.Core;
using XStateNet.Events.V1;

namespace GrpcShm.EventBus.Tests.Service;

public sealed class ExpiryTests : HubTest
{
    protected override void Configure(EventBusOptions options) => options.UnclaimedTimeout = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task RegisterMachines_NeverClaimed_Expires()
    {
        await Client.RegisterMachinesAsync(new RegisterMachinesRequest
        {
            InstanceId = "p",
            Registrations = { new Registration { MachineId = "m" } },
        }).ResponseAsync.InTime();
        var waiting = Client.SendAsync(
            new SendRequest { Event = NewEvent("m"), Acknowledgement = AcknowledgementLevel.Delivered });

        // Whoever waits for the machine is told when its registration expires.
        await FailsAsync(waiting, StatusCode.Unavailable);

        await FailsAsync(Client.SendAsync(new SendRequest { Event = NewEvent("m") }), StatusCode.NotFound);
    }
}

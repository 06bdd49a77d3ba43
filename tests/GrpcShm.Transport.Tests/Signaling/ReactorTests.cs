using GrpcShm.Transport.Platform;
using GrpcShm.Transport.Signaling;

namespace GrpcShm.Transport.Tests.Signaling;

public sealed class ReactorTests
{
    [Fact]
    public async Task Register_DoorbellRings_TargetIsServedOnTheReactorsThreadEachTime()
    {
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var target = new FakeTarget();
        using var registration = ProcessReactors.Next().Register(bell.Source, target);
        for (var i = 0; i < 10; i++)
        {
            bell.Ring();
            await target.WaitForReadyAsync();
        }

        Assert.StartsWith("GrpcShm reactor", target.Thread?.Name, StringComparison.Ordinal);
        Assert.Null(Reactor.Running);
    }

    [Fact]
    public async Task Register_DoorbellHasRungAlready_TargetIsServed()
    {
        using var bell = TransportPlatform.Current.CreateDoorbell();
        bell.Ring();
        var target = new FakeTarget();
        using var registration = ProcessReactors.Next().Register(bell.Source, target);
        await target.WaitForReadyAsync();
    }

    [Fact]
    public async Task OnReady_Throws_OnlyThatTargetIsTold()
    {
        using var bell = TransportPlatform.Current.CreateDoorbell();
        using var otherBell = TransportPlatform.Current.CreateDoorbell();
        var target = new FakeTarget { Failure = new InvalidDataException() };
        var other = new FakeTarget();
        using var registration = ProcessReactors.Next().Register(bell.Source, target);
        using var otherRegistration = ProcessReactors.Next().Register(otherBell.Source, other);

        bell.Ring();
        await target.WaitForFaultAsync();

        otherBell.Ring();
        await other.WaitForReadyAsync();
    }

    [Fact]
    public void Dispose_RegistrationTwice_IsOnce()
    {
        using var bell = TransportPlatform.Current.CreateDoorbell();
        var registration = ProcessReactors.Next().Register(bell.Source, new FakeTarget());
        registration.Dispose();
        registration.Dispose();
        using var again = ProcessReactors.Next().Register(bell.Source, new FakeTarget());
    }
}

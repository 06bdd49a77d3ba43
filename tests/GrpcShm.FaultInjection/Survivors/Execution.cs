using GrpcShm.FaultInjection.Planning;
using GrpcShm.FaultInjection.Processes;
using GrpcShm.FaultInjection.Reporting;
using GrpcShm.TestHost;
using GrpcShm.TestHost.Faults;

namespace GrpcShm.FaultInjection.Survivors;

/// <summary>The common steps of every death, of a client or of a server.</summary>
internal sealed class Execution(Fault fault, Host victim, Bystander bystander, Findings findings)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>Tells the victim the step at which it must die.</summary>
    public Task ArmAsync() => victim.AskAsync(
        $"crash {fault.Step} {fault.Times} {(fault.Death == Death.Killed ? CrashAction.Kill : CrashAction.Freeze)}",
        HostMessage.Done);

    /// <summary>Waits until the victim is dead.</summary>
    /// <param name="thawed">Runs when the victim has stood still and goes on.</param>
    /// <returns>The time of its death.</returns>
    public async Task<long> DieAsync(Func<Task> thawed)
    {
        long died;
        try
        {
            died = await victim.Dying.WaitAsync(Patience);
        }
        catch (Exception exception) when (exception is TimeoutException or InvalidOperationException)
        {
            findings.NotReached(fault, exception.Message);
            return victim.Kill();
        }

        if (fault.Death == Death.Killed)
        {
            return died;
        }

        await victim.WhenFrozenAsync();
        await ServeOthersAsync();
        if (fault.Death == Death.FrozenThenThawed)
        {
            victim.Thaw();
            await thawed();
        }

        return victim.Kill();
    }

    /// <summary>Checks that other clients are served.</summary>
    public async Task ServeOthersAsync()
    {
        try
        {
            await bystander.CallAsync(fault.Mode);
        }
        catch (Grpc.Core.RpcException exception)
        {
            findings.NotServed(fault, $"a third process: {exception.Status}");
        }
    }
}

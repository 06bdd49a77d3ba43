namespace GrpcShm.EventBus.Registry;

/// <summary>Roughly what a registration takes in memory, for the budgets.</summary>
internal static class MachineWeight
{
    // What a machine, and its place in a group, take beside their names.
    private const long MachineOverhead = 512;
    private const long MembershipOverhead = 128;

    public static long Of(string machineId) => MachineOverhead + (sizeof(char) * machineId.Length);

    public static long Of(IEnumerable<string> groups) =>
        groups.Sum(static group => MembershipOverhead + (long)(sizeof(char) * group.Length));
}

namespace GrpcShm.EventBus.Registry;

/// <summary>About how much memory a registration takes, for the budgets.</summary>
internal static class MachineWeight
{
    // The bytes of a machine, and of its place in a group, beside their names.
    private const long MachineOverhead = 512;
    private const long MembershipOverhead = 128;

    public static long Of(string machineId) => MachineOverhead + (sizeof(char) * machineId.Length);

    public static long Of(IEnumerable<string> groups) =>
        groups.Sum(static group => MembershipOverhead + (long)(sizeof(char) * group.Length));
}

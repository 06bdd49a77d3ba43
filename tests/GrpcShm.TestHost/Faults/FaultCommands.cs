using System.Globalization;

namespace GrpcShm.TestHost.Faults;

/// <summary>
/// The lines on standard input that take a resource away from this process: <c>fail STEP ERROR</c>, <c>fail none</c>,
/// <c>descriptors take</c>, <c>descriptors give</c>, <c>file-size BYTES</c>, <c>forbid CALL ERROR</c>. Each is answered
/// when it is in force.
/// </summary>
internal sealed class FaultCommands
{
    private readonly FaultyPlatform _platform = FaultyPlatform.Install();
    private readonly DescriptorHoard _descriptors = new();

    /// <returns>True if the line was one of these.</returns>
    public bool TryExecute(string line)
    {
        const string Fail = "fail ";
        const string FileSize = "file-size ";
        const string Forbid = "forbid ";
        switch (line)
        {
            case "descriptors take":
                _descriptors.Take();
                break;
            case "descriptors give":
                _descriptors.Give();
                break;
            case var command when command.StartsWith(Fail, StringComparison.Ordinal):
                _platform.Fail(command[Fail.Length..]);
                break;
            case var command when command.StartsWith(FileSize, StringComparison.Ordinal):
                ResourceLimits.Set(
                    ResourceLimits.FileSize, ulong.Parse(command[FileSize.Length..], CultureInfo.InvariantCulture));
                break;
            case var command when command.StartsWith(Forbid, StringComparison.Ordinal):
                var parts = command[Forbid.Length..].Split(' ');
                Sandbox.Forbid(parts[0], ushort.Parse(parts[1], CultureInfo.InvariantCulture));
                break;
            default:
                return false;
        }

        new HostMessage(HostMessage.Done, Environment.ProcessId).Write();
        return true;
    }
}

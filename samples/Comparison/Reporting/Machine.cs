using System.Globalization;
using System.Runtime;
using System.Runtime.InteropServices;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>The machine on which the figures were measured.</summary>
internal sealed record Machine(int Processors, string Processor, string Kernel, string Runtime, string Settings)
{
    private const string LoadFile = "/proc/loadavg";
    private const string ProcessorFile = "/proc/cpuinfo";

    public static Machine Current { get; } = new(
        Environment.ProcessorCount,
        ReadProcessor(),
        $"{Environment.OSVersion.VersionString}, {RuntimeInformation.OSDescription}",
        RuntimeInformation.FrameworkDescription,
        $"server GC {(GCSettings.IsServerGC ? "on" : "off")}, " +
        $"concurrent GC {(GCSettings.LatencyMode == GCLatencyMode.Interactive ? "on" : "off")}, " +
        $"tiered PGO {(IsTieredPgoOff() ? "off" : "on (default)")}");

    /// <summary>
    /// The average number of runnable threads over one, five and fifteen minutes, if the system reports it.
    /// </summary>
    public static string ReadLoad() =>
        File.Exists(LoadFile)
            ? string.Join(' ', File.ReadAllText(LoadFile).Split(' ').Take(3))
            : "unknown";

    private static string ReadProcessor()
    {
        var line = File.Exists(ProcessorFile)
            ? File.ReadLines(ProcessorFile)
                .FirstOrDefault(text => text.StartsWith("model name", StringComparison.Ordinal))
            : null;
        return line?[(line.IndexOf(':') + 1)..].Trim()
            ?? RuntimeInformation.ProcessArchitecture.ToString().ToLower(CultureInfo.InvariantCulture);
    }

    private static bool IsTieredPgoOff() =>
        Environment.GetEnvironmentVariable("DOTNET_TieredPGO") == "0" ||
        (AppContext.TryGetSwitch("System.Runtime.TieredPGO", out var isOn) && !isOn);
}

using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;

namespace GrpcShm.Benchmarks.Raw;

/// <summary>The bare ring in C, compiled at start: it shows the cost of C# and its runtime.</summary>
internal sealed class CompiledRing : IRawMeter
{
    private const double NanosecondsPerMicrosecond = 1000;
    private static readonly string[] Compilers = ["cc", "gcc", "clang"];
    private static readonly TimeSpan CompileTime = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan SpareTime = TimeSpan.FromSeconds(30);

    private readonly string _program;

    private CompiledRing(string program, string compiler) => (_program, Compiler) = (program, compiler);

    public string Name => "ring-bare in C";

    public string Compiler { get; }

    /// <summary>Compiles it with the first compiler that is found.</summary>
    /// <returns>Null if there is no compiler, or if this is not Linux.</returns>
    public static CompiledRing? TryCompile(string directory)
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        var source = Path.Combine(AppContext.BaseDirectory, "Raw", "ring.c");
        var program = Path.Combine(directory, "ring-c");
        foreach (var compiler in Compilers)
        {
            try
            {
                Run(compiler, CompileTime, "-O2", "-std=gnu11", "-o", program, source);
                return new CompiledRing(program, compiler);
            }
            catch (Win32Exception)
            {
                // This compiler does not exist here.
            }
        }

        return null;
    }

    public (double P50, double P99) MeasureRoundTrip(TimeSpan duration)
    {
        var figures = Measure("trips", duration).Split(' ');
        return (Parse(figures[0]) / NanosecondsPerMicrosecond, Parse(figures[1]) / NanosecondsPerMicrosecond);
    }

    public double MeasureBytes(TimeSpan duration) => Parse(Measure("bytes", duration));

    private string Measure(string what, TimeSpan duration) =>
        Run(_program, duration + SpareTime, what, duration.TotalSeconds.ToString(CultureInfo.InvariantCulture));

    private static double Parse(string figure) => double.Parse(figure, CultureInfo.InvariantCulture);

    private static string Run(string program, TimeSpan timeout, params string[] arguments)
    {
        var start = new ProcessStartInfo(program) { RedirectStandardOutput = true };
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        if (!process.WaitForExit(timeout))
        {
            process.Kill();
            process.WaitForExit();
            throw new IOException($"'{program}' did not end within {timeout.TotalSeconds:0} s.");
        }

        return process.ExitCode == 0
            ? output.GetAwaiter().GetResult()
            : throw new IOException(
                $"'{program} {string.Join(' ', arguments)}' ended with exit code {process.ExitCode}.");
    }
}

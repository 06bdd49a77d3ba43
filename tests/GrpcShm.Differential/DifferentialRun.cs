using System.Diagnostics;
using GrpcShm.Differential.Hosting;
using GrpcShm.Differential.Requests;
using GrpcShm.Differential.Responses;

namespace GrpcShm.Differential;

/// <summary>A run.</summary>
internal static class DifferentialRun
{
    public static async Task<Report> RunAsync(Settings settings)
    {
        var started = Stopwatch.GetTimestamp();
        var findings = new Findings(settings);
        await using var host = await DifferentialHost.StartAsync(settings.Plant);
        var requests = await RequestRun.RunAsync(host, settings, findings);
        var responses = await ResponseRun.RunAsync(host, settings, findings);
        if (host.Reports.Strays > 0)
        {
            findings.Add(new Difference(
                "request", -1,
                $"{host.Reports.Strays} requests reached the application without their mark.",
            ""));
        }

        return new Report(
            settings.Seed,
            requests.All,
            requests.Handled,
            requests.Refused,
            requests.RefusedDirect,
            responses,
            findings.Unsteady,
            findings.Count,
            Math.Round(Stopwatch.GetElapsedTime(started).TotalSeconds, 2));
    }
}

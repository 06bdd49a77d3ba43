using System.Globalization;
using System.Net;
using System.Text;
using GrpcShm.Samples.Comparison.Measuring;
using GrpcShm.Samples.Comparison.Reporting.Charts;
using GrpcShm.Samples.Comparison.Scenarios;

namespace GrpcShm.Samples.Comparison.Reporting;

/// <summary>The HTML page: one file that needs no other file. The charts are also written as files beside it.</summary>
/// <param name="plan">The plan of the run.</param>
/// <param name="result">What was measured.</param>
/// <param name="charts">The charts of the page.</param>
/// <param name="measuredAt">The time that the file of the same run has, too.</param>
internal sealed class HtmlReport(
    RunPlan plan, ComparisonResult result, IReadOnlyList<Chart> charts, DateTimeOffset measuredAt)
{
    public const string FileName = "index.html";

    private const string Style = """
        :root { color-scheme: light dark; }
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
        h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
        figure { margin: 1.5rem 0; }
        img { background: white; max-width: 100%; }
        figcaption, .note { color: GrayText; font-size: .9rem; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
        th, td { padding: .15rem .6rem; text-align: right; white-space: nowrap; }
        th { border-bottom: 1px solid GrayText; }
        td.name, th.name { text-align: left; } tr.first td { border-top: 1px solid #8884; }
        .warning { border-left: .3rem solid #D55E00; padding: .3rem .8rem; }
        dt { float: left; clear: left; width: 9rem; }
        dd { margin-left: 9rem; }
        """;

    private readonly StringBuilder _page = new();

    public async Task WriteAsync(string directory)
    {
        await ChartList.WriteSvgAsync(charts, directory);
        foreach (var chart in charts)
        {
            await File.WriteAllBytesAsync(Path.Combine(directory, chart.Name + ".png"), chart.Png);
        }

        await File.WriteAllTextAsync(Path.Combine(directory, FileName), CreatePage());
    }

    private string CreatePage()
    {
        _page.Append("<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">");
        _page.Append(
            CultureInfo.InvariantCulture,
            $"<title>gRPC between two processes</title><style>{Style}</style></head><body>");
        Element("h1", "gRPC between two processes, transport by transport");
        AddMachine();
        foreach (var disturbance in result.Disturbances)
        {
            _page.Append("<p class=\"warning\">");
            _page.Append("This run was too noisy to be trusted: ").Append(Encode(disturbance)).Append(".</p>");
        }

        foreach (var chart in charts)
        {
            Element("h2", chart.Title);
            _page.Append(CultureInfo.InvariantCulture, $"<figure><img alt=\"{Encode(chart.Title)}\" ");
            _page.Append("src=\"data:image/svg+xml;base64,");
            _page.Append(Convert.ToBase64String(Encoding.UTF8.GetBytes(chart.Svg))).Append("\">");
            Element("figcaption", chart.Note);
            _page.Append("</figure>");
        }

        AddSpeed();
        AddCosts();
        AddMemory();
        AddFloor();
        return _page.Append("</body></html>").ToString();
    }

    private void AddMachine()
    {
        var machine = Machine.Current;
        _page.Append("<dl>");
        Term("measured", measuredAt.ToString("u", CultureInfo.InvariantCulture));
        Term("machine", $"{machine.Processors} processors, {machine.Processor}; load at the end {Machine.ReadLoad()}");
        Term("system", machine.Kernel);
        Term("runtime", $"{machine.Runtime}; {machine.Settings}");
        Term("method", Figures.DescribeMethod(plan));
        if (Figures.DescribeLeftOut(plan) is { } leftOut)
        {
            Term("left out", leftOut);
        }

        foreach (var transport in plan.Transports)
        {
            Term(transport.Name, transport.Description);
        }

        _page.Append("</dl>");
    }

    private void AddSpeed()
    {
        Element("h2", "Time");
        AddTable(
            ["p50 µs", "p99 µs", "per second", "ratio to uds", "", "p90 µs", "p99.9 µs", "max µs", "MiB/s"],
            measurement =>
            [
                .. Figures.DescribeSpeed(measurement),
                measurement.TimesAsFast is { } ratio ? Figures.DescribeRatio(ratio) : "–",
                measurement.IsNoisy ? "noisy" : "",
                .. Figures.DescribeTail(measurement),
            ]);
        Element(
            "p",
            "Ratio: how many times as fast as the same over a Unix socket (uds). More is better: 2 is twice as fast, "
                + "0.5 is half as fast. A scenario is compared by its p50 or by its rate, round by round: median "
                + "(least–most).",
            "note");
    }

    private void AddCosts()
    {
        Element("h2", "What an operation costs");
        AddTable(
            ["CPU % client", "server", "bytes client", "server", "doorbells", "sleeps"], Figures.DescribeCosts);
        Element(
            "p",
            "CPU is in percent of one processor; all other figures are for one operation. Doorbells are system calls "
                + "that wake the other side of a shared-memory connection. Sleeps say how often a thread of either "
                + "process waited in the kernel.",
            "note");
    }

    private void AddMemory()
    {
        Element("h2", "Memory of a further connection");
        _page.Append("<dl>");
        foreach (var one in result.Measurements.DistinctBy(measurement => measurement.Transport))
        {
            Term(
                one.Transport.Name,
                FormattableString.Invariant($"{one.Memory.Idle / 1024:N0} KiB after one call, ")
                    + FormattableString.Invariant($"{one.Memory.Loaded / 1024:N0} KiB after a load, ")
                    + "both processes together");
        }

        _page.Append("</dl>");
    }

    private void AddFloor()
    {
        Element("h2", "The machine's floor, without gRPC");
        _page.Append("<dl>");
        foreach (var (name, text) in Figures.DescribeFloor(result))
        {
            Term(name, text);
        }

        _page.Append("</dl>");
    }

    private void AddTable(string[] columns, Func<Measurement, string[]> createCells)
    {
        _page.Append("<div class=\"scroll\"><table><thead><tr>");
        _page.Append("<th class=\"name\">scenario</th><th class=\"name\">transport</th>");
        foreach (var column in columns)
        {
            Element("th", column);
        }

        _page.Append("</tr></thead><tbody>");
        Scenario? last = null;
        foreach (var measurement in result.Measurements)
        {
            _page.Append(measurement.Scenario == last ? "<tr>" : "<tr class=\"first\">");
            last = measurement.Scenario;
            Element("td", measurement.Scenario.Name, "name");
            Element("td", measurement.Transport.Name, "name");
            foreach (var cell in createCells(measurement))
            {
                Element("td", cell);
            }

            _page.Append("</tr>");
        }

        _page.Append("</tbody></table></div>");
    }

    private void Term(string term, string description)
    {
        Element("dt", term);
        Element("dd", description);
    }

    private void Element(string name, string text, string? cssClass = null)
    {
        _page.Append('<').Append(name);
        if (cssClass is not null)
        {
            _page.Append(CultureInfo.InvariantCulture, $" class=\"{cssClass}\"");
        }

        _page.Append(CultureInfo.InvariantCulture, $">{Encode(text)}</{name}>");
    }

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}

using System.Globalization;

namespace Samples;

/// <summary>The first words of a sample. It prints them before it starts processes or warms anything up.</summary>
internal static class Announcement
{
    private static readonly TimeSpan InMinutes = TimeSpan.FromSeconds(100);

    /// <summary>Where the words for people go.</summary>
    /// <param name="outputIsForResult">
    /// True if the standard output is for the result alone, as with <c>--json</c>. Then it is the standard error.
    /// </param>
    public static TextWriter ChooseWriter(bool outputIsForResult) => outputIsForResult ? Console.Error : Console.Out;

    /// <summary>Prints what the sample does, what it will show, and how long it takes.</summary>
    public static void Print(TextWriter output, string does, string shows, TimeSpan takes)
    {
        output.WriteLine(PlainText.Wrap(does));
        output.WriteLine(PlainText.Wrap(shows));
        output.WriteLine($"It takes about {Describe(takes)} on an idle machine, and longer on a busy one.");
        output.WriteLine();
    }

    private static string Describe(TimeSpan time) => time < InMinutes
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, time.TotalSeconds):0} s")
        : string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:0} min");
}

using System.Globalization;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Samples;

/// <summary>Draws what a command prints to a console, as an SVG picture. It is sharp at any size.</summary>
internal static partial class ConsolePicture
{
    private const int LineHeight = 20;
    private const int FontSize = 16;

    // Most fonts of this kind have letters of this width.
    private const double LetterWidth = 0.6 * FontSize;
    private const int Margin = 16;

    private const string Paper = "#ffffff";
    private const string Ink = "#1f2328";
    private const string Edge = "#d0d7de";

    // A viewer takes the first of these that it has. Each piece of text has a place of its own, and is stretched to its
    // columns, so that the columns are straight in each of them.
    private const string Fonts = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, 'Liberation Mono', monospace";

    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    /// <summary>Draws a command and what it prints.</summary>
    public static string Draw(string command, params IRenderable[] output)
    {
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(TextWriter.Null) });
        console.Profile.Width = PlainText.Width;
        List<SegmentLine> lines = [[new Segment("$ " + command)], []];
        foreach (var part in output)
        {
            lines.AddRange(Segment.SplitLines(part.GetSegments(console)));
        }

        var width = (2 * Margin) + (int)Math.Ceiling(LetterWidth * lines.Max(line => line.CellCount()));
        var height = (2 * Margin) + (LineHeight * lines.Count);
        var picture = new XElement(
            Svg + "svg",
            new XAttribute("width", width),
            new XAttribute("height", height),
            new XAttribute("viewBox", Invariant($"0 0 {width} {height}")),
            new XAttribute("role", "img"),
            new XAttribute("font-family", Fonts),
            new XAttribute("font-size", FontSize),
            new XElement(
                Svg + "rect",
                new XAttribute("x", 0.5),
                new XAttribute("y", 0.5),
                new XAttribute("width", width - 1),
                new XAttribute("height", height - 1),
                new XAttribute("rx", 8),
                new XAttribute("fill", Paper),
                new XAttribute("stroke", Edge)));
        for (var i = 0; i < lines.Count; i++)
        {
            AddLine(picture, lines[i], Margin + (LineHeight * i) + FontSize);
        }

        return picture.ToString();
    }

    private static void AddLine(XElement picture, SegmentLine line, int bottom)
    {
        var column = 0;
        foreach (var segment in line)
        {
            // A viewer makes one space of several.
            foreach (Match piece in Piece().Matches(segment.IsControlCode ? "" : segment.Text))
            {
                picture.Add(new XElement(
                    Svg + "text",
                    new XAttribute("x", Text(Margin + (LetterWidth * (column + piece.Index)))),
                    new XAttribute("y", bottom),
                    new XAttribute("textLength", Text(LetterWidth * piece.Length)),
                    new XAttribute("lengthAdjust", "spacingAndGlyphs"),
                    new XAttribute("fill", ColorOf(segment.Style)),
                    piece.Value));
            }

            column += segment.CellCount();
        }
    }

    private static string ColorOf(Style style) =>
        style.Foreground == Color.Default ? Ink : "#" + style.Foreground.ToHex();

    private static string Text(double number) => number.ToString("0.##", CultureInfo.InvariantCulture);

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\S+( \S+)*")]
    private static partial Regex Piece();
}

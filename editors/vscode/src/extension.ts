/** The client: it starts `netc lsp` and shows what the server says. */

import * as vscode from "vscode";
import {
  LanguageClient,
  type LanguageClientOptions,
  type ServerOptions,
} from "vscode-languageclient/node";

const REMEDY = 'pip install "netc[lsp]"';

let client: LanguageClient | undefined;

export async function activate(context: vscode.ExtensionContext): Promise<void> {
  context.subscriptions.push(
    vscode.commands.registerCommand("netc.restart", restart),
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration("netc.command")) {
        await restart();
      }
    }),
  );
  await start();
}

export async function deactivate(): Promise<void> {
  const running = client;
  client = undefined;
  await running?.stop();
}

async function restart(): Promise<void> {
  await deactivate();
  await start();
}

/** Start the server; when it cannot be started, say how to get it. */
async function start(): Promise<void> {
  const settings = vscode.workspace.getConfiguration("netc");
  const [command = "netc", ...args] = settings.get<string[]>("command", ["netc", "lsp"]);
  const server: ServerOptions = { command, args };
  const options: LanguageClientOptions = {
    documentSelector: [{ language: "netdef" }],
    initializationOptions: settings,
    synchronize: {
      configurationSection: "netc",
      fileEvents: vscode.workspace.createFileSystemWatcher("**/*.netdef"),
    },
  };
  client = new LanguageClient("netc", "netc", server, options);
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const chosen = await vscode.window.showErrorMessage(
      `"${[command, ...args].join(" ")}" could not be started: ${String(error)}. ` +
        `Install it with ${REMEDY}, or say where it is in the setting netc.command.`,
      "Open the setting",
    );
    if (chosen !== undefined) {
      await vscode.commands.executeCommand("workbench.action.openSettings", "netc.command");
    }
  }
}

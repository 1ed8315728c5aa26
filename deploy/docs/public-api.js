// Reads what an entry of a package exports, with the compiler's own eyes: names, declarations, docstrings.
//
// TypeScript's programming interface is still called unstable; its version is exact in package.json, and a new one that
// breaks this fails here, not in what users install.
import { fileURLToPath } from "node:url";
import { SyntaxKind } from "typescript/unstable/ast";
import { API, SymbolFlags } from "typescript/unstable/sync";

const CONFIG = fileURLToPath(new URL("tsconfig.json", import.meta.url));

/** Made only inside the package: said so, and not promised to anybody. */
const INTERNAL = "internal";

/** Opens the declaration files that tsconfig.json names, calls `work`, closes them. */
export function withPublicApi(work) {
  const api = new API({});
  try {
    const project = api.updateSnapshot({ openProjects: [CONFIG] }).getProject(CONFIG);
    return work(new PublicApi(project));
  } finally {
    api.close();
  }
}

class PublicApi {
  #project;
  #checker;

  constructor(project) {
    this.#project = project;
    this.#checker = project.checker;
  }

  /** The exports of an entry file, in its order. */
  exportsOf(entryFile) {
    const source = this.#project.program.getSourceFile(entryFile);
    if (source === undefined) throw new Error(`${entryFile} is not there: run npm run build`);
    const module = this.#checker.getSymbolAtLocation(source);
    return this.#checker.getExportsOfModule(module).map((symbol) => this.#export(symbol));
  }

  #export(alias) {
    const symbol = this.#real(alias);
    const nodes = symbol.declarations.map((handle) => handle.resolve(this.#project));
    const members = nodes.flatMap((node) => [...(node.members ?? [])]);
    return {
      name: alias.name,
      file: nodes[0].getSourceFile().fileName,
      kind: kindOf(nodes[0]),
      texts: nodes.map((node) => this.#text(node)),
      ...this.#docs(symbol),
      members: members.filter(isPublic).flatMap((node) => this.#member(node)),
      /** Of the declaration without its members; of all of it where it has none. */
      names: nodes.flatMap((node) => this.#namesIn(node, members.length > 0 ? new Set(members) : new Set())),
    };
  }

  /** As it is declared; a class that extends an expression names the type, not the compiler's constant for it. */
  #text(node) {
    if (node.kind === SyntaxKind.VariableDeclaration) return `const ${node.getText()}`;
    let text = node.getText();
    for (const clause of node.heritageClauses ?? []) {
      for (const base of clause.types) {
        if (isMadeByCompiler(base)) {
          text = text.replace(base.getText(), this.#checker.typeToString(this.#checker.getTypeAtLocation(base)));
        }
      }
    }
    return text;
  }

  #member(node) {
    const name = node.kind === SyntaxKind.Constructor ? "constructor" : (node.name?.getText() ?? "");
    const symbol = node.name === undefined ? undefined : this.#checker.getSymbolAtLocation(node.name);
    const { doc, tags } = symbol === undefined ? commentOf(node) : this.#docs(symbol);
    if (INTERNAL in tags) return [];
    return [
      { name, kind: memberKindOf(node), text: node.getText().replace(/;$/, ""), doc, tags, names: this.#namesIn(node) },
    ];
  }

  #docs(symbol) {
    const tags = {};
    const params = {};
    for (const { name, text } of symbol.getJsDocTags(this.#checker)) {
      if (name !== "param") tags[name] = text;
      else params[text.split(" ", 1)[0]] = text.slice(text.indexOf(" ") + 1);
    }
    return { doc: symbol.getDocumentationComment(this.#checker), tags, params };
  }

  /** The package's own types that a declaration names, each with its file: what users need a name for, too. */
  #namesIn(declaration, skip = new Set()) {
    const found = [];
    const visit = (node) => {
      if (skip.has(node) || isMadeByCompiler(node)) return;
      if (node.kind === SyntaxKind.TypeReference || node.kind === SyntaxKind.ExpressionWithTypeArguments) {
        const name = node.typeName ?? node.expression;
        const symbol = this.#checker.getSymbolAtLocation(name);
        const target = symbol === undefined ? undefined : this.#real(symbol);
        const file = target?.declarations[0]?.resolve(this.#project)?.getSourceFile().fileName;
        if (file !== undefined && !(target.flags & SymbolFlags.TypeParameter))
          found.push({ name: name.getText(), file });
      }
      node.forEachChild(visit);
    };
    visit(declaration);
    return found;
  }

  #real(symbol) {
    return symbol.flags & SymbolFlags.Alias ? this.#checker.getAliasedSymbol(symbol) : symbol;
  }
}

/** `Name_base`: what a declaration file has where a class extends an expression. */
function isMadeByCompiler(node) {
  return node.kind === SyntaxKind.ExpressionWithTypeArguments && /^\w+_base$/.test(node.expression.getText());
}

/** Neither `#name` nor private nor protected. */
function isPublic(node) {
  if (node.name?.kind === SyntaxKind.PrivateIdentifier) return false;
  const hidden = [SyntaxKind.PrivateKeyword, SyntaxKind.ProtectedKeyword];
  return ![...(node.modifiers ?? [])].some(({ kind }) => hidden.includes(kind));
}

function kindOf(node) {
  switch (node.kind) {
    case SyntaxKind.ClassDeclaration:
      return "class";
    case SyntaxKind.InterfaceDeclaration:
      return "interface";
    case SyntaxKind.TypeAliasDeclaration:
      return "type";
    case SyntaxKind.FunctionDeclaration:
      return "function";
    case SyntaxKind.VariableDeclaration:
      return "constant";
    default:
      throw new Error(`an export of a kind that the API page does not know: ${SyntaxKind[node.kind]}`);
  }
}

function memberKindOf(node) {
  switch (node.kind) {
    case SyntaxKind.Constructor:
      return "constructor";
    case SyntaxKind.MethodDeclaration:
    case SyntaxKind.MethodSignature:
      return "method";
    case SyntaxKind.PropertyDeclaration:
    case SyntaxKind.PropertySignature:
    case SyntaxKind.GetAccessor:
    case SyntaxKind.SetAccessor:
    case SyntaxKind.IndexSignature:
    case SyntaxKind.CallSignature:
      return "property";
    default:
      return undefined;
  }
}

/** Of what has no symbol of its own to ask: a constructor. */
function commentOf(node) {
  const comment = node.jsDoc?.at(-1)?.comment;
  const doc = typeof comment === "string" ? comment : [...(comment ?? [])].map((part) => part.text ?? "").join("");
  return { doc, tags: {} };
}
